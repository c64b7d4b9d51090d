"""Migrations rehearsed for real: the application of this repository, PostgreSQL, requests.

The defects are hidden in DO blocks and the policy lets them through, since the lint would not: what
is proven here is that the rehearsal sees them by itself.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.adapters.check_environments import CheckEnvironments
from pipelines.adapters.rehearsal_database import LocalRehearsals
from pipelines.model.check import FAILED, PASSED, StageResult
from pipelines.stages import migration_rehearsal
from tests.support.rehearsing import INDEX, NOTE, ROOT, Bench, Migration, policy, rules_of, words_of

ORDERS = "trading.orders"
LENIENT = policy(expand_refuses="[]", contract_refuses="[]", rehearsal_rows=100_000)
SMALL = policy(rehearsal_rows=100_000)
NEEDS = "app/trading/migrations/needs.py"


def _hidden(statement: str, down: str = "select 1;") -> Migration:
    return Migration(f"do $$ begin {statement} end $$;", down)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    folder = tmp_path_factory.mktemp("rehearsal")
    for place in (folder, *folder.parents[:3]):
        if place.stat().st_uid == os.getuid() and place != Path("/tmp"):
            place.chmod(0o755)  # as root PostgreSQL is somebody else, who must pass through
    environments = CheckEnvironments(folder / "venvs", ROOT / "requirements-check.lock")
    yield Bench(folder, environments, LocalRehearsals(None, folder / "cache"))
    assert _servers(folder) == []


def _servers(folder: Path) -> list[str]:
    """Command lines of processes that still work in a folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = entry.read_bytes().replace(b"\0", b" ").decode()
        except OSError:
            continue
        if str(folder) in words and "pytest" not in words:
            found.append(words)
    return found


def _judge(bench: Bench, *migrations: Migration, base: dict[str, str] = LENIENT) -> StageResult:
    change = bench.change({m.file: str(m) for m in migrations}, base=base)
    result = bench.judge(change)
    assert _servers(bench.folder) == []
    return result


def test_a_good_expand_passes_says_what_it_saw_and_says_the_same_again(bench: Bench) -> None:
    change = bench.change({m.file: str(m) for m in (NOTE, INDEX)}, base=SMALL)
    first, second = bench.judge(change), bench.judge(change)
    assert (first.status, words_of(first)) == (PASSED, "")
    assert first.document == second.document
    said = first.document["rehearsal"]
    assert (said["migrations"], said["data"], said["ok"]) == (["r0003", "r0004"], "generated", True)
    assert said["rows"] > 100_000
    seen = first.observed["rehearsal"]
    assert 0 < seen["longest_stall_seconds"] <= 0.3
    assert first.observed["requests"]["errors"] == 0
    assert first.observed["requests"]["writes"] > 10
    assert "**generated** rows: no evidence for production" in first.markdown
    assert first.samples == 5
    assert len([words for words in bench.said if "rows are generated" in words]) == 1


def test_a_used_column_that_goes_is_seen_by_requests_and_by_the_old_release(bench: Bench) -> None:
    drop = _hidden(
        f"alter table {ORDERS} drop column reason;",
        f"alter table {ORDERS} add column reason text not null default '';",
    )
    result = _judge(bench, drop)
    assert result.status == FAILED
    assert {"migrations/validate", "migrations/requests"} <= rules_of(result)
    assert "the database lacks orders.reason" in result.summary
    assert result.document["rehearsal"]["ok"] is False


def test_a_table_that_is_written_anew_makes_requests_wait(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration_rehearsal, "ROUNDS", 2)
    rewrite = _hidden(
        f"alter table {ORDERS} add column number bigint generated always as identity;"
        " perform pg_sleep(0.4);",  # whatever the machine: a bigger table takes longer
        f"alter table {ORDERS} drop column number;",
    )
    result = _judge(bench, rewrite)
    assert result.status == FAILED
    assert rules_of(result) == {"migrations/stall"}
    assert "at most 300 ms are allowed" in result.summary
    assert len(result.observed["stalls_seconds"]) == 2
    assert result.observed["rehearsal"]["longest_stall_seconds"] > 0.3


def test_a_down_that_does_not_undo_is_shown(bench: Bench) -> None:
    result = _judge(bench, Migration(NOTE.up, "select 1;"))
    assert result.status == FAILED
    assert rules_of(result) == {"migrations/down"}
    assert "+note text" in result.summary


def test_a_down_that_undoes_too_much_is_shown(bench: Bench) -> None:
    result = _judge(bench, Migration(NOTE.up, f"{NOTE.down} drop index trading.orders_strategy;"))
    assert rules_of(result) == {"migrations/down"}
    assert "-CREATE INDEX orders_strategy" in result.summary


def test_an_up_that_fails_is_told_in_its_own_words(bench: Bench) -> None:
    result = _judge(bench, _hidden("perform 1/0;"))
    assert result.status == FAILED
    assert rules_of(result) == {"migrations/up"}
    assert "MIGRATION_FAILED: division by zero" in result.summary


def test_a_down_that_fails_is_told(bench: Bench) -> None:
    result = _judge(bench, Migration(NOTE.up, "drop table trading.nothing_of_that_name;"))
    assert rules_of(result) == {"migrations/down"}
    assert "nothing_of_that_name" in result.summary


def test_a_migration_that_hangs_behind_a_lock_is_ended(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(migration_rehearsal, "MIGRATE_SECONDS", 4.0)
    hang = _hidden(f"lock table {ORDERS} in access exclusive mode; perform pg_sleep(600);")
    result = _judge(bench, hang)
    assert result.status == FAILED
    assert "migrations/up" in rules_of(result)
    assert "did not end within 4 s" in result.summary


def test_a_contract_migration_says_which_releases_it_closes(bench: Bench) -> None:
    """Head does without the column already; the release before does not."""
    drop = Migration(
        f"alter table {ORDERS} drop column venue_order_id;",
        f"alter table {ORDERS} add column venue_order_id text;",
        kind="contract",
    )
    needs = (ROOT / NEEDS).read_text()
    assert '"venue_order_id reason' in needs
    less = needs.replace('"venue_order_id reason', '"reason')
    result = bench.judge(bench.change({drop.file: str(drop), NEEDS: less}, base=SMALL))
    assert (result.status, words_of(result)) == (PASSED, "")
    assert result.document["rehearsal"]["closes"] is True
    assert "**Closes** every release up to develop@" in result.markdown
    assert "lacks orders.venue_order_id" in result.markdown


def test_a_release_before_that_cannot_be_exercised_is_no_witness(bench: Bench) -> None:
    text = (ROOT / "app/slipway.yaml").read_text()
    assert "  exercise:  [exercise]\n" in text
    without = {"app/slipway.yaml": text.replace("  exercise:  [exercise]\n", "")}
    result = _judge(bench, NOTE, base=SMALL | without)
    assert result.status == FAILED
    assert "offers no command exercise" in result.summary
