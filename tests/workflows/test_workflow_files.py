"""The workflow files keep every rule, and each rule can say no."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from pipelines.model.check import STAGES
from tests.workflows.linters import findings

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / ".github" / "workflows").glob("*.y*ml"))
PLANTED = Path(__file__).with_name("planted")
REFUSED = {
    "template_injection": ("zizmor", "template-injection"),
    "unpinned_action": ("zizmor", "unpinned-uses"),
    "write_all": ("zizmor", "excessive-permissions"),
    "target_with_checkout": ("zizmor", "dangerous-triggers"),
    "kept_credentials": ("zizmor", "artipacked"),
    "unknown_need": ("actionlint", "job-needs"),
    "pin_without_version": ("ours", "is not '<action>@<40 hex digits> # v1.2.3'"),
    "no_permissions": ("ours", "job check: says no permissions of its own"),
    "no_timeout": ("ours", "job check: timeout-minutes is None"),
    "hidden_failure": ("ours", "job check: continue-on-error hides a failure"),
    "no_gate": ("ours", "no job required-checks-passed"),
    "gate_always_green": ("ours", "is green for the results 'success failure'"),
    "gate_forgets_skipped": ("ours", "is green for the results 'success skipped'"),
    "gate_is_skipped": ("ours", "a skipped required check counts as passed"),
    "gate_needs_too_little": ("ours", "does not need security"),
}


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)
def test_a_workflow_file_has_no_findings(tools: Path, file: Path) -> None:
    assert findings(tools, file) == {"actionlint": [], "zizmor": [], "ours": []}


def test_there_is_a_workflow_file_to_judge() -> None:
    assert [file.name for file in FILES] == ["pull-request.yml"]


def test_the_planted_file_with_nothing_wrong_has_no_findings(tools: Path) -> None:
    found = findings(tools, PLANTED / "nothing_wrong.yml")
    assert found == {"actionlint": [], "zizmor": [], "ours": []}


@pytest.mark.parametrize(("name", "reason"), REFUSED.items(), ids=REFUSED.keys())
def test_a_planted_workflow_is_refused_for_its_reason(
    tools: Path, name: str, reason: tuple[str, str]
) -> None:
    linter, words = reason
    found = findings(tools, PLANTED / f"{name}.yml")[linter]
    assert any(words in line for line in found), found


def test_every_planted_file_is_in_the_table() -> None:
    assert {file.stem for file in PLANTED.glob("*.yml")} == {*REFUSED, "nothing_wrong"}


def test_the_workflow_runs_every_stage_and_only_the_report_may_write() -> None:
    jobs = yaml.safe_load(FILES[0].read_text())["jobs"]
    assert jobs["check"]["strategy"]["matrix"]["stage"] == list(STAGES)
    writers = {name for name, job in jobs.items() if "write" in job["permissions"].values()}
    assert writers == {"report"}
    assert all("checkout" not in step.get("uses", "") for step in jobs["report"]["steps"])


@pytest.mark.parametrize("missing", ["go", "jq"])
def test_a_missing_program_is_named_with_what_to_install(tmp_path: Path, missing: str) -> None:
    bin_folder = tmp_path / "bin"
    bin_folder.mkdir()
    needed = {"sh", "git", "cat", "cut", "uname", "dirname", "mkdir", "mktemp", "rm", "jq", "go"}
    for name in needed - {missing}:
        program = shutil.which(name)
        assert program, name
        (bin_folder / name).symlink_to(program)
    done = subprocess.run(
        [ROOT / "scripts" / "workflow-tools"],
        env={"PATH": str(bin_folder), "HOME": str(tmp_path)},
        capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2
    assert f"Error: {missing.replace('go', 'Go')} was not found" in done.stderr
    assert "install " in done.stderr
