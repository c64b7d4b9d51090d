"""The record of who did what: it refuses edits, and edits made around it are found."""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.harness.installation import Installation

HASHED = (
    "sequence at actor action environment reason options plan_digest result details".split()  # noqa: SIM905
)
Entry = dict[str, Any]


def records(installation: Installation) -> Path:
    return installation.state / "environments" / "staging" / "records.sqlite"


def connect(path: Path) -> sqlite3.Connection:
    database = sqlite3.connect(path, isolation_level=None, timeout=10)
    database.row_factory = sqlite3.Row
    return database


def put(path: Path, entry: Entry) -> None:
    """Overwrite an entry as somebody with the file would: triggers off, write, triggers on."""
    with closing(connect(path)) as database:
        database.execute("begin immediate")
        triggers = database.execute(
            "select name, sql from sqlite_master where type = 'trigger' and tbl_name = 'audit'"
        ).fetchall()
        for trigger in triggers:
            database.execute(f"drop trigger {trigger['name']}")
        columns = ", ".join(f"{name} = :{name}" for name in entry)
        database.execute(f"update audit set {columns} where sequence = :sequence", entry)
        for trigger in triggers:
            database.execute(trigger["sql"])
        database.execute("commit")


def find(path: Path, reason: str) -> Entry:
    with closing(connect(path)) as database:
        row = database.execute(
            "select * from audit where reason = ? order by sequence desc limit 1", (reason,)
        ).fetchone()
    return dict(row)


@contextmanager
def overwritten(path: Path, original: Entry, changed: Entry) -> Iterator[None]:
    put(path, changed)
    try:
        yield
    finally:
        put(path, original)


def another_reason(entry: Entry) -> Entry:
    return entry | {"reason": "nothing happened"}


def another_actor(entry: Entry) -> Entry:
    return entry | {"actor": "mallory"}


def another_reason_with_its_digest(entry: Entry) -> Entry:
    changed = another_reason(entry)
    content = {name: changed[name] for name in HASHED}
    for name in ("options", "details"):
        content[name] = json.loads(content[name])
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return changed | {"digest": hashlib.sha256((entry["previous"] + text).encode()).hexdigest()}


@pytest.fixture
def frozen_once(installation: Installation) -> Entry:
    """The entry of a freeze, followed by that of a thaw."""
    installation.ok("freeze", "staging", "--reason", "month end, for the record")
    installation.ok("thaw", "staging", "--reason", "over")
    return find(records(installation), "month end, for the record")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param(another_reason, "entry {0} was changed", id="its reason"),
        pytest.param(another_actor, "entry {0} was changed", id="its actor"),
        pytest.param(
            another_reason_with_its_digest,
            "entry {1} does not follow entry {0}",
            id="its reason, with a digest that fits",
        ),
    ],
)
def test_a_changed_entry_is_named_by_audit_verify(
    installation: Installation,
    frozen_once: Entry,
    change: Callable[[Entry], Entry],
    words: str,
) -> None:
    path, number = records(installation), frozen_once["sequence"]
    assert installation.ok("audit", "verify", "staging")["whole"] is True
    with overwritten(path, frozen_once, change(frozen_once)):
        found = installation.run("audit", "verify", "staging")
        printed = installation.run("audit", "verify", "staging", as_json=False)
        everywhere = installation.run("audit", "verify")
        doctor = installation.run("doctor")
    assert (found.code, found.data["whole"]) == (1, False)
    expected = words.format(number, number + 1)
    assert expected in "\n".join(found.data["problems"]["staging"])
    assert printed.code == 1
    assert expected in printed.out
    assert everywhere.code == 1
    assert everywhere.data["problems"]["dev"] == []
    assert doctor.code != 0
    assert expected in doctor.text
    assert find(path, frozen_once["reason"]) == frozen_once
    assert installation.ok("audit", "verify", "staging")["whole"] is True


def test_the_audit_refuses_to_be_changed_or_shortened(
    installation: Installation, frozen_once: Entry
) -> None:
    with closing(connect(records(installation))) as database:
        for statement in (
            "update audit set reason = 'nothing happened' where sequence = ?",
            "delete from audit where sequence = ?",
        ):
            with pytest.raises(sqlite3.IntegrityError, match="append-only"):
                database.execute(statement, (frozen_once["sequence"],))
    assert find(records(installation), frozen_once["reason"]) == frozen_once
