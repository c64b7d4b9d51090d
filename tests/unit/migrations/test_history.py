"""What is merged stays as it is, and what comes follows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.model.check import UNTOUCHED
from pipelines.stages import migration_history
from pipelines.stages.migrations import MigrationsStage
from pipelines.stages.protocol import Options
from pipelines.stages.rehearsal_protocol import BackupCopy
from tests.support.rehearsing import INDEX, NOTE, ROOT, VERSIONS, Bench, Migration
from tests.unit.migrations.tools import NoEnvironments

SECOND = f"{VERSIONS}r0002_backtests.py"
OTHER = Migration("create table trading.a (id bigint);", "drop table trading.a;", revision="r0003x")
CONTRACT = Migration(
    "alter table trading.orders drop column reason;",
    "alter table trading.orders add column reason text;",
    kind="contract",
)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, NoEnvironments())


def _rules(bench: Bench, *args: object, **more: object) -> dict[str, str]:
    history = migration_history.judge(bench.change(*args, **more))  # type: ignore[arg-type]
    return {finding.rule: f"{finding.message} {finding.hint}" for finding in history.findings}


def test_new_scripts_are_those_the_target_has_not_in_their_order(bench: Bench) -> None:
    change = bench.change({INDEX.file: str(INDEX), NOTE.file: str(NOTE)})
    history = migration_history.judge(change)
    assert [script.revision for script in history.new] == ["r0003", "r0004"]
    assert [script.revision for script in history.merged] == ["r0001", "r0002"]
    assert history.findings == ()


def test_editing_a_merged_script_is_refused(bench: Bench) -> None:
    text = (ROOT / SECOND).read_text().replace("they outlive", "these outlive")
    said = _rules(bench, {SECOND: text})
    assert "r0002 is merged already and this change edits it" in said["migrations/merged"]
    assert "write a new migration" in said["migrations/merged"]


def test_deleting_a_merged_script_is_refused(bench: Bench) -> None:
    said = _rules(bench, {SECOND: None})
    assert "r0002 is merged already and this change deletes it" in said["migrations/merged"]


def test_renaming_the_file_of_a_merged_script_is_allowed(bench: Bench) -> None:
    text = (ROOT / SECOND).read_text()
    assert _rules(bench, {SECOND: None, f"{VERSIONS}r0002_other_name.py": text}) == {}


def test_two_scripts_after_the_same_one_are_refused(bench: Bench) -> None:
    said = _rules(bench, {NOTE.file: str(NOTE), OTHER.file: str(OTHER)})
    assert "two heads" in said["migrations/chain"]
    assert "fix down_revision" in said["migrations/chain"]


def test_one_revision_in_two_files_is_refused(bench: Bench) -> None:
    said = _rules(bench, {NOTE.file: str(NOTE), f"{VERSIONS}r0003_again.py": str(NOTE)})
    assert "is there twice" in said["migrations/chain"]


def test_a_target_that_got_a_migration_meanwhile_says_merge_it(bench: Bench) -> None:
    said = _rules(bench, {NOTE.file: str(NOTE)}, target={OTHER.file: str(OTHER)})
    assert "two heads" in said["migrations/chain"]
    assert "develop has got a migration meanwhile" in said["migrations/chain"]


def test_a_branch_that_is_only_behind_deletes_nothing(bench: Bench) -> None:
    change = bench.change({}, target={NOTE.file: str(NOTE)})
    history = migration_history.judge(change)
    assert (history.findings, history.new) == ((), ())


def test_a_gap_is_refused(bench: Bench) -> None:
    said = _rules(bench, {INDEX.file: str(INDEX)})
    assert "broken chain: r0004 (after 'r0003')" in said["migrations/chain"]


def test_what_expands_may_not_stand_behind_what_contracts(bench: Bench) -> None:
    said = _rules(bench, {CONTRACT.file: str(CONTRACT), INDEX.file: str(INDEX)})
    assert "r0004 expands after r0003 contracts" in said["migrations/order"]


def test_the_stage_is_touched_by_whatever_makes_another_release(bench: Bench) -> None:
    stage = MigrationsStage()
    assert stage.touched(bench.change({NOTE.file: str(NOTE)}))
    assert stage.touched(bench.change({SECOND: None}))
    assert stage.touched(bench.change({}, everything=True))
    assert stage.touched(bench.change({"environments/dev/values.yaml": "trading: {}"}))
    assert not stage.touched(bench.change({"policies/README.md": "other"}))


def test_without_a_new_script_and_a_backup_there_is_nothing_to_do(bench: Bench) -> None:
    result = bench.judge(bench.change({"app/trading/values.py": "# other"}))
    assert (result.status, result.findings) == (UNTOUCHED, ())


def test_another_backup_policy_or_branch_kind_is_another_question(bench: Bench) -> None:
    stage = MigrationsStage()
    change = bench.change({NOTE.file: str(NOTE)})
    plain = stage.inputs(change, Options())
    assert plain == stage.inputs(change, Options())
    assert plain != stage.inputs(change, Options(backup=BackupCopy("production", "b1")))
    assert plain != stage.inputs(bench.change({INDEX.file: str(INDEX)}), Options())
    release = bench.change({NOTE.file: str(NOTE)}, branch="release/v1.2.3")
    assert plain != stage.inputs(release, Options())
