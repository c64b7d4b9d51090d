"""The real workflow, run by act: what comes of a good change, a bad one, a fork and a merge queue.

Stood in: artefact actions, checkout, advisories, `gh` (see `act.py`). Of the matrix, the stage
`policy` runs, and once `security`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.workflows.act import WORKFLOW, Ended, pull_request, repository, run

GOOD, BAD = "feature/clearer-guide", "Feature/Clearer_Guide"
TEXT = """\
## What and why
The deployment guide says which ports it means, because people asked.

## Risk
Risk: low
A document only, nothing that runs.

## Way back
Revert the commit, nothing else.

## Review checklist
- [x] I read the page as it will be shown
""".replace("\n", "\r\n")  # as GitHub sends what was typed into its form
HOLE = """\
id: PYSEC-2026-1
modified: "{now}"
affected:
- package: {{ecosystem: PyPI, name: circus}}
  ranges:
  - type: ECOSYSTEM
    events:
    - introduced: "0"
"""
Environment = dict[str, str]


def ended(
    folder: Path,
    environment: Environment,
    branch: str,
    text: str,
    *,
    fork: bool = False,
    stage: str = "policy",
) -> Ended:
    """A pull request to develop that edits a document."""
    repo = repository(folder, branch)
    repo.commit("docs/deployment-guide.md", "# Deployment\n", "Say which ports are meant")
    payload = {"pull_request": pull_request(repo, branch, text, fork=fork)}
    return run(repo, environment, "pull_request", payload, stage=stage)


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory, clean_environment: Environment) -> Ended:
    return ended(tmp_path_factory.mktemp("good"), clean_environment, GOOD, TEXT)


@pytest.fixture(scope="module")
def bad(tmp_path_factory: pytest.TempPathFactory, clean_environment: Environment) -> Ended:
    return ended(tmp_path_factory.mktemp("bad"), clean_environment, BAD, TEXT)


def test_a_good_change_makes_the_gate_green(good: Ended) -> None:
    assert good.jobs == {
        "change": "success", "check": "success", "report": "success",
        "required-checks-passed": "success",
    }, good.log  # fmt: skip
    assert good.code == 0


def test_the_report_is_one_comment_and_the_summary(good: Ended) -> None:
    assert good.comment is not None, good.log
    assert good.comment.startswith("# Check: success")
    assert "Name, flow, text and isolation are fine." in good.comment
    assert good.comment.strip() in good.summary


def test_every_form_of_the_report_is_kept_as_an_artefact(good: Ended) -> None:
    kinds = {Path(name).suffix for name in good.artefacts("report-policy")}
    assert {".md", ".sarif", ".json"} <= kinds


def test_a_badly_named_branch_makes_the_gate_red_and_the_report_says_why(bad: Ended) -> None:
    assert (bad.gate, bad.jobs["check"]) == ("failure", "failure"), bad.log
    assert bad.code != 0
    assert bad.comment is not None
    assert bad.comment.startswith("# Check: failure")
    assert BAD in bad.comment
    assert "branch_names" in bad.comment


def strange(trace: Path) -> tuple[str, str]:
    """Branch and text that leave a trace wherever a shell takes them for its own words."""
    text = f"$(touch {trace})`touch {trace}`\n'; touch {trace} #\n${{{{ github.token }}}}\nEOF\n"
    return f"feature/$(touch${{IFS}}{trace});touch${{IFS}}{trace}", text


def test_words_of_a_stranger_are_never_run(tmp_path: Path, clean_environment: Environment) -> None:
    trace = tmp_path / "a-stranger-was-here"
    seen = ended(tmp_path, clean_environment, *strange(trace))
    assert seen.gate == "failure", seen.log
    assert not trace.exists()


def test_a_workflow_that_runs_them_would_be_noticed(
    tmp_path: Path, clean_environment: Environment
) -> None:
    trace, careless = tmp_path / "a-stranger-was-here", tmp_path / "careless.yml"
    branch, text = strange(trace)
    careful = 'jq -ej \'.head.ref\' "$RUNNER_TEMP/pull-request.json" > "$RUNNER_TEMP/change/branch"'
    assert careful in WORKFLOW.read_text()
    words = 'echo "${{ github.event.pull_request.head.ref }}"'
    careless.write_text(WORKFLOW.read_text().replace(careful, words))
    repo = repository(tmp_path, GOOD)
    payload = {"pull_request": pull_request(repo, branch, text)}
    run(repo, clean_environment, "pull_request", payload, workflow=careless, job="change")
    assert trace.exists()


def test_a_known_hole_in_a_pinned_package_makes_the_gate_red(
    tmp_path: Path, clean_environment: Environment
) -> None:
    record = tmp_path / "advisories" / "vulns" / "circus" / "PYSEC-2026-1.yaml"
    record.parent.mkdir(parents=True)
    record.write_text(HOLE.format(now=datetime.now(UTC).isoformat(timespec="seconds")))
    seen = ended(tmp_path, clean_environment, GOOD, TEXT, stage="security")
    assert seen.gate == "failure", seen.log
    assert seen.comment is not None
    assert "PYSEC-2026-1" in seen.comment
    assert "1 uncommitted" not in seen.comment, "the advisories were left in the workspace"


def test_a_fork_gets_its_report_in_the_summary(
    tmp_path: Path, clean_environment: Environment
) -> None:
    seen = ended(tmp_path, clean_environment, GOOD, TEXT, fork=True)
    assert seen.gate == "success", seen.log
    assert seen.comment is None
    assert "policy" in seen.summary


def test_the_policy_is_about_the_branch_and_not_about_the_merge_of_it(
    tmp_path: Path, clean_environment: Environment
) -> None:
    branch = "hotfix/ports"
    repo = repository(tmp_path, branch, base="main")
    repo.commit("docs/deployment-guide.md", "# Deployment\n", "Say which ports are meant")
    repo.advance("develop")
    payload = {"pull_request": pull_request(repo, branch, TEXT)}
    repo.merge_into("develop")
    seen = run(repo, clean_environment, "pull_request", payload)
    assert seen.gate == "success", seen.log


def test_a_merge_queue_is_judged_by_its_pull_request(
    tmp_path: Path, clean_environment: Environment
) -> None:
    repo = repository(tmp_path, GOOD)
    repo.commit("docs/deployment-guide.md", "# Deployment\n", "Say which ports are meant")
    stored = pull_request(repo, GOOD, TEXT)
    repo.advance("develop")
    repo.merge_into("develop")
    queued = f"refs/heads/gh-readonly-queue/develop/pr-7-{repo.git('rev-parse', 'HEAD^1')}"
    payload = {"merge_group": {"head_ref": queued, "base_ref": "refs/heads/develop"}}
    seen = run(repo, clean_environment, "merge_group", payload, stored=stored)
    assert seen.gate == "success", seen.log
    assert "report" not in seen.jobs
    assert seen.comment is None
