"""`slipway check` on a clone of this repository with a strategy added, without an installation."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import pytest

from pipelines.model.check import PASSED
from pipelines.wiring_check import check_commit
from tests.support.strategy_change import BRANCH, STRATEGY, StrategyChange, git

STAGES = ("--stage", "policy", "--stage", "quality", "--stage", "render")


class Clone:
    def __init__(self, folder: Path) -> None:
        self.change = StrategyChange(folder / "clone")
        self.change.add_strategy()
        self.state = folder / "state"

    def start(self, *words: str, here: Path | None = None) -> subprocess.Popen[str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("GITHUB_", "SLIPWAY_"))}
        # -P: the engine under test is this repository's, not the clone's that lies at hand.
        program = [sys.executable, "-P", "-m", "pipelines.cli.main", "check"]
        return subprocess.Popen(
            [*program, *words, "--state", str(self.state)],
            cwd=here or self.change.folder, env=kept, text=True,
            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )  # fmt: skip

    def check(self, *words: str, here: Path | None = None) -> tuple[int, str, str]:
        process = self.start(*words, here=here)
        out, err = process.communicate(timeout=280)
        return process.returncode, out, err

    def report(self, *words: str) -> tuple[int, dict[str, Any]]:
        code, out, err = self.check(*words, "-o", "json")
        assert out, err
        return code, json.loads(out)


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Clone:
    return Clone(tmp_path_factory.mktemp("check"))


def test_an_honest_strategy_passes_and_every_stage_says_what_it_looked_at(clone: Clone) -> None:
    code, report = clone.report(*STAGES)
    assert code == 0, json.dumps(report, indent=1)
    assert (report["schema"], report["branch"], report["target"]) == (1, BRANCH, "develop")
    assert report["commit"] == git(clone.change.folder, "rev-parse", "HEAD")
    assert [s["stage"] for s in report["stages"]] == ["policy", "quality", "render"]
    assert all(s["status"] == PASSED and s["samples"] > 0 for s in report["stages"])
    quality = report["stages"][1]["document"]
    assert quality["app/tests"]["tests"] == [
        "tests/strategies/breakout",
        "tests/test_environments.py",
    ]
    assert report["stages"][1]["observed"]["app/coverage"]["percent"] >= 80
    changes = report["stages"][2]["document"]["changes"]
    assert {"trading.strategies.breakout.capital"} <= {row["path"] for row in changes}


def test_the_same_question_is_answered_from_what_is_kept(clone: Clone) -> None:
    clone.report(*STAGES)
    began = time.monotonic()
    code, report = clone.report(*STAGES)
    assert code == 0
    assert all(stage["cached"] for stage in report["stages"])
    assert time.monotonic() - began < 15


def test_a_table_is_plain_when_piped_and_fits(clone: Clone) -> None:
    code, out, _ = clone.check("--stage", "render")
    assert code == 0
    assert out.startswith("✓ render")
    assert out.rstrip().splitlines()[-1].startswith("passed, ")
    assert "\x1b" not in out


def test_a_defect_is_red_in_every_format_and_uncommitted_files_are_not_judged(
    clone: Clone, tmp_path: Path
) -> None:
    folder = clone.change.folder
    good = (folder / STRATEGY).read_text()
    git(folder, "switch", "--quiet", "--create", "feature/quant-strategy-breakout-worse")
    clone.change.write(STRATEGY, good.replace("from __future__", "import os\nfrom __future__", 1))
    clone.change.commit("Import something")
    clone.change.write(STRATEGY, good)
    code, out, _ = clone.check("--stage", "quality", "--report-dir", str(tmp_path / "out"))
    git(folder, "checkout", "--quiet", "--", ".")
    git(folder, "switch", "--quiet", BRANCH)
    assert code == 1
    assert f"error: {STRATEGY}:6: `os` imported but unused [ruff/F401]" in " ".join(out.split())
    assert "1 uncommitted file(s) are not judged" in out
    markdown = (tmp_path / "out" / "report.md").read_text()
    assert "## ❌ Not yet: quality" in markdown
    sarif = json.loads((tmp_path / "out" / "report.sarif").read_text())
    rules = {r["ruleId"] for run in sarif["runs"] for r in run["results"]}
    assert "ruff/F401" in rules
    assert json.loads((tmp_path / "out" / "report.json").read_text())["passed"] is False


def test_a_branch_with_a_bad_name_is_red(clone: Clone) -> None:
    code, out, _ = clone.check("--stage", "policy", "--branch", "feature/Bad_Name")
    assert code == 1
    assert "feature/Bad_Name" in out


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--stage", "nope"), "unknown stage 'nope'"),
        (("--commit", "nope"), "'nope' names no commit"),
        (("--base", "--all"), "'--all' names no commit"),
        (("--pull-request", "nope.md"), "nope.md: there is no such file"),
        (("--advisories", "nope.zip"), "nope.zip: there is no such file"),
        (("--format", "nope"), "'nope' is not one of"),
        (("surplus",), "unexpected extra argument"),
    ],
)
def test_bad_input_is_two_lines_and_code_two(
    clone: Clone, words: tuple[str, ...], message: str
) -> None:
    code, _, err = clone.check(*words)
    assert (code, "Traceback" in err) == (2, False)
    assert message in err


def test_ctrl_c_ends_everything_and_leaves_nothing_behind(clone: Clone) -> None:
    process = clone.start("--stage", "quality", "--fresh")
    marks = f"SLIPWAY_CHECK={process.pid}-"
    until = time.monotonic() + 60
    while not _children(marks) and time.monotonic() < until:
        time.sleep(0.1)
    process.send_signal(signal.SIGINT)
    _, err = process.communicate(timeout=30)
    assert process.returncode == 130
    assert "Stopped." in err
    assert _children(marks) == []
    scratch = Path(tempfile.gettempdir()).glob(f"slipway-check-{process.pid}-*")
    assert list(scratch) == []


def test_a_commit_of_an_origin_is_judged_without_a_checkout(clone: Clone, tmp_path: Path) -> None:
    origin = tmp_path / "state" / "origin.git"
    git(tmp_path, "clone", "--quiet", "--bare", str(clone.change.folder), str(origin))
    commit = git(clone.change.folder, "rev-parse", BRANCH)
    report = check_commit(tmp_path / "state", BRANCH, commit, stages=("policy", "render"))
    assert report.passed, report
    assert report.commit == commit
    again = check_commit(tmp_path / "state", BRANCH, commit, stages=("render",), fresh=True)
    assert again.stages[0].document == report.stages[1].document
    assert not again.stages[0].cached


def _children(marks: str) -> list[str]:
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environment = (entry / "environ").read_bytes()
            state = (entry / "stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            continue
        if marks.encode() in environment and state not in "ZX":
            found.append(entry.name)
    return found
