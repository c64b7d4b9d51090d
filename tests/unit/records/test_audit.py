"""Nobody edits the record without `verify` saying so."""

from __future__ import annotations

import json
import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from pipelines.adapters.sqlite import open_records
from pipelines.records.audit import canonical, digest_of
from pipelines.records.protocols import Audit

_COLUMNS = (
    *("at", "actor", "action", "environment", "reason", "options", "plan_digest", "result"),
    *("details", "previous", "digest"),
)


def filled(state: Path, count: int) -> Audit:
    audit = open_records(state, "dev").audit
    for number in range(count):
        audit.append(
            actor="ada",
            action="promote",
            reason=f"reason {number} · ü",
            options={"release": f"r-{number}", "soak_seconds": 0.5},
            result="succeeded",
            details={"steps": [number, None, True]},
        )
    return audit


def without_triggers(state: Path) -> sqlite3.Connection:
    """As somebody with an editor for the file would work."""
    connection = sqlite3.connect(state / "environments/dev/records.sqlite", isolation_level=None)
    for name in ("audit_never_changes", "audit_never_shrinks", "audit_grows_at_its_end"):
        connection.execute(f"drop trigger if exists {name}")
    return connection


def test_an_untouched_audit_has_no_problems_and_its_head_is_the_last_digest(
    tmp_path: Path,
) -> None:
    audit = filled(tmp_path, 5)
    entries = audit.entries()
    assert [e.sequence for e in entries] == [1, 2, 3, 4, 5]
    assert audit.head() == entries[-1].digest
    assert audit.verify([e.digest for e in entries]) == []
    assert [e.sequence for e in audit.entries(2)] == [4, 5]
    json.dumps([dict(e.options) for e in entries])


def test_an_empty_audit_is_whole(tmp_path: Path) -> None:
    audit = open_records(tmp_path, "dev").audit
    assert audit.head() == ""
    assert audit.verify(["", ""]) == []


def test_a_digest_can_be_computed_again_from_what_is_documented(tmp_path: Path) -> None:
    first, second = filled(tmp_path, 2).entries()
    content = {name: getattr(second, name) for name in ("sequence", *_COLUMNS[:9])}
    assert second.digest == digest_of(first.digest, content)
    assert canonical({"b": 1, "a": "ü"}) == '{"a":"ü","b":1}'


@pytest.mark.parametrize(
    "statement",
    [
        "update audit set actor = 'eve'",
        "delete from audit",
        "insert or replace into audit select * from audit where sequence = 1",
        "insert into audit select 9, at, actor, action, environment, reason, options,"
        " plan_digest, result, details, '', 'x' from audit where sequence = 1",
    ],
    ids=["update", "delete", "replace", "insert elsewhere"],
)
def test_sql_that_would_change_the_record_is_refused(tmp_path: Path, statement: str) -> None:
    audit = filled(tmp_path, 3)
    connection = sqlite3.connect(tmp_path / "environments/dev/records.sqlite")
    with pytest.raises(sqlite3.IntegrityError):
        connection.execute(statement)
    connection.close()
    assert audit.verify([audit.head()]) == []


def test_a_cut_off_end_is_found_even_before_it_was_anchored(tmp_path: Path) -> None:
    audit = filled(tmp_path, 5)
    without_triggers(tmp_path).execute("delete from audit where sequence > 3")
    assert audit.verify([]) == ["the end is missing: entry 5 was written, the last is 3"]


def test_a_whole_chain_forged_anew_is_found_by_its_anchor_in_git(tmp_path: Path) -> None:
    anchor = filled(tmp_path / "true", 3).head()
    forged = filled(tmp_path / "forged", 4)
    assert forged.verify([]) == []
    assert "is not in the audit" in forged.verify([anchor])[0]


def test_anchors_in_the_wrong_order_are_found(tmp_path: Path) -> None:
    audit = filled(tmp_path, 3)
    first, _, third = (e.digest for e in audit.entries())
    assert audit.verify([first, third]) == []
    assert audit.verify([third, first]) == ["entry 1 is anchored in git after entry 3"]


def test_a_thousand_random_edits_are_all_found(tmp_path: Path) -> None:
    generator = random.Random(7)
    audit = filled(tmp_path, 12)
    anchors = [e.digest for e in audit.entries()]
    connection = without_triggers(tmp_path)
    original = connection.execute("select * from audit order by sequence").fetchall()
    counter = connection.execute("select seq from sqlite_sequence").fetchone()[0]
    for number in range(1000):
        edited = _edit(generator, [list(row) for row in original])
        if edited == [list(row) for row in original]:
            continue
        _store(connection, edited, counter)
        assert audit.verify(anchors), f"edit {number} went unseen"
    _store(connection, [list(row) for row in original], counter)
    assert audit.verify(anchors) == []


def _store(connection: sqlite3.Connection, rows: list[list[Any]], counter: int) -> None:
    """The counter is forged too: only chain and anchors are left to tell."""
    connection.execute("begin")
    connection.execute("delete from audit")
    connection.executemany(f"insert into audit values ({','.join('?' * 12)})", rows)
    highest = max((row[0] for row in rows), default=counter)
    connection.execute("update sqlite_sequence set seq = ?", (highest,))
    connection.execute("commit")


def _edit(generator: random.Random, rows: list[list[Any]]) -> list[list[Any]]:
    kind = generator.choice(["edit", "edit", "delete", "insert", "reorder", "truncate", "rehash"])
    place = generator.randrange(len(rows))
    if kind == "edit":
        column = generator.randrange(1, 12)
        text = str(rows[place][column])
        at = generator.randrange(len(text) + 1)
        rows[place][column] = text[:at] + generator.choice("x0 \n{") + text[at + 1 :]
    elif kind == "delete":
        del rows[place]
    elif kind == "insert":
        copy = [*rows[place]]
        copy[2], copy[11] = "eve", f"{generator.random()}"
        rows.insert(place, copy)
        _renumber(rows)
    elif kind == "reorder":
        other = generator.randrange(len(rows))
        rows[place], rows[other] = rows[other], rows[place]
        _renumber(rows)
    elif kind == "truncate":
        del rows[place:]
    else:  # change an entry and compute every digest from there on anew
        rows[place][2] = "eve"
        _rehash(rows)
    return rows


def _renumber(rows: list[list[Any]]) -> None:
    for number, row in enumerate(rows, start=1):
        row[0] = number


def _rehash(rows: list[list[Any]]) -> None:
    previous = ""
    for row in rows:
        content = dict(zip(("sequence", *_COLUMNS[:9]), row[:10], strict=True))
        content["options"] = json.loads(row[6])
        content["details"] = json.loads(row[9])
        row[10], row[11] = previous, digest_of(previous, content)
        previous = row[11]
