"""squawk speaks, or the stage is broken; nothing that it should object to passes in silence."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.model.check import BROKEN, FAILED, StageResult
from pipelines.stages import migration_lint
from tests.support.rehearsing import NOTE, Bench, Migration, rules_of, words_of
from tests.unit.migrations.tools import HONEST, ScriptedTools

OBJECTS = """echo '[{"rule_name":"%s","message":"it locks","line":2,"help":"do not"}]'; exit 1"""


def _judge(folder: Path, squawk: str | None, migration: Migration = NOTE) -> StageResult:
    bench = Bench(folder, ScriptedTools(folder, squawk))
    return bench.judge(bench.change({migration.file: str(migration)}))


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(migration_lint, "SECONDS", 1.0)


BAD = {
    "missing": (None, "it is not there"),
    "hanging": ("sleep 60", "did not end within 1 s"),
    "failing": ("echo broken >&2; exit 3", "broken"),
    "garbage": (HONEST + "echo '{}{'; exit 1", "answered with 1 and no list"),
    "words": (HONEST + "echo all fine; exit 0", "answered with 0 and no list"),
    "another shape": (HONEST + """echo '[{"rule":"x"}]'; exit 1""", "and no list"),
    "a list without saying so": (HONEST + OBJECTS.replace("exit 1", "exit 0") % "x", "no list"),
    "silence": (HONEST + "exit 0", "answered with 0 and no list"),
    "a crash": (HONEST + "echo '[]'; kill -9 $$", "no list"),
    "always content": (
        """case "$*" in *--version*) echo "squawk 2.70.0";; *) echo '[]';; esac""",
        "does not object to CREATE INDEX without CONCURRENTLY",
    ),
    "another program": ("echo hello there world", "does not say its version"),
}


@pytest.mark.parametrize(("squawk", "said"), BAD.values(), ids=BAD)
def test_a_tool_that_gives_no_answer_is_red(tmp_path: Path, squawk: str | None, said: str) -> None:
    result = _judge(tmp_path, squawk)
    assert result.status == BROKEN
    assert said in words_of(result)
    assert "migrations/squawk" in rules_of(result)


def test_an_objection_is_an_error_at_the_line_of_the_sql(tmp_path: Path) -> None:
    result = _judge(tmp_path, HONEST + OBJECTS % "ban-drop-column")
    assert result.status == FAILED
    found = next(f for f in result.findings if f.rule == "squawk/ban-drop-column")
    lines = str(NOTE).splitlines()
    assert lines[found.line - 1 - 2] == 'UP = """'
    assert (found.path, found.hint) == (NOTE.file, "do not")


def test_advice_is_a_warning_but_outside_of_a_transaction_repeating_matters(tmp_path: Path) -> None:
    alone = Migration(NOTE.up, NOTE.down, transactional=False)
    for number, (rule, migration, severity) in enumerate(
        [
            ("prefer-bigint-over-int", NOTE, "warning"),
            ("prefer-robust-stmts", NOTE, "warning"),
            ("prefer-robust-stmts", alone, "error"),
        ]
    ):
        result = _judge(tmp_path / str(number), HONEST + OBJECTS % rule, migration)
        assert f"squawk/{rule}" in rules_of(result, severity)


OWN_TIMEOUTS = (
    "set lock_timeout = 0;",
    "SET LOCAL lock_timeout = '1h';",
    "select set_config('lock_timeout', '0', true);",
)


@pytest.mark.parametrize("words", OWN_TIMEOUTS)
def test_a_script_may_not_set_the_lock_timeout_itself(tmp_path: Path, words: str) -> None:
    own = Migration(f"{words}\n{NOTE.up}", NOTE.down)
    result = _judge(tmp_path, HONEST + "echo '[]'", own)
    assert "migrations/lock-timeout" in rules_of(result)


def test_every_rule_that_is_left_out_says_what_covers_it() -> None:
    left_out = {**migration_lint.LEFT_OUT, **migration_lint.LEFT_OUT_OF_CONTRACT}
    assert all(len(why) > 60 for why in left_out.values())
    assert "require-concurrent-index-creation" not in left_out


def test_without_a_database_nothing_passes(tmp_path: Path) -> None:
    result = _judge(tmp_path, HONEST + "echo '[]'")
    assert result.status == BROKEN
    assert "offers no database to rehearse on" in words_of(result)


def test_what_a_policy_refuses_is_refused_by_the_stage(tmp_path: Path) -> None:
    result = _judge(tmp_path, HONEST + "echo '[]'", Migration("drop table trading.fills;", ""))
    assert result.status == FAILED
    assert {"migrations/take_away", "migrations/down"} <= rules_of(result)


def test_a_policy_of_the_target_that_is_broken_is_told(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ScriptedTools(tmp_path, HONEST + "echo '[]'"))
    broken = {"policies/migrations/policy.yaml": "title: [\n"}
    result = bench.judge(bench.change({NOTE.file: str(NOTE)}, base=broken))
    assert result.status == FAILED
    assert "policies/migrations/policy.yaml" in words_of(result)


def test_the_change_cannot_bring_a_policy_of_its_own(tmp_path: Path) -> None:
    bench = Bench(tmp_path, ScriptedTools(tmp_path, HONEST + "echo '[]'"))
    loose = "title: t\nwhy: w\nseverity: warning\ndata: {}\n"
    drop = Migration("drop table trading.fills;", "select 1;")
    change = bench.change({drop.file: str(drop), "policies/migrations/policy.yaml": loose})
    assert "migrations/take_away" in rules_of(bench.judge(change))
