"""`slipway check --follow`: what is shown of a job, and when nobody could ever end it."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path

import pytest

from pipelines.adapters.person_tools import FILE, remember, remembered
from pipelines.cli.check_follow import follow
from pipelines.cli.status import job_remark
from pipelines.cli.status import open_jobs as shown
from pipelines.model.check import Finding, Report, StageResult
from pipelines.model.errors import BadInput, NeedsPerson
from pipelines.wiring_jobs import write_report
from tests.support.pushing import Place

X, COMMIT = "feature/speed", "1" * 40


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def ended(place: Place, status: str, message: str, folder: Path | None = None) -> None:
    place.jobs.ask("check", X, COMMIT, actor="ada", reason="pushed")
    job = place.jobs.take("e-1")
    assert job is not None
    place.jobs.end(job.id, status, message, str(folder or ""))


def report(status: str) -> Report:
    finding = Finding("ruff/E501", "line too long", path="app/tiny/x.py", line=3)
    stage = StageResult("quality", status, "1 file", (finding,), samples=1)
    return Report(X, "develop", COMMIT, "0" * 40, "a" * 64, (stage,))


def test_a_branch_that_was_never_pushed_is_bad_input_with_the_command(place: Place) -> None:
    with pytest.raises(BadInput, match="nothing was asked for a branch 'feature/never'") as refused:
        follow(place.state, "feature/never", "text")
    assert "git push slipway HEAD:feature/never" in refused.value.hint


@pytest.mark.parametrize("take", [False, True], ids=["queued", "running"])
def test_a_job_that_nobody_works_on_is_said_and_not_waited_for(
    place: Place, take: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipelines.cli.check_follow.REMIND_SECONDS", 0.0)
    place.jobs.ask("check", X, COMMIT, actor="ada")
    if take:
        place.jobs.take()
    with pytest.raises(NeedsPerson, match="no controller of dev runs") as refused:
        follow(place.state, X, "text")
    assert "slipway up" in refused.value.hint


@pytest.mark.parametrize(("status", "code"), [("passed", 0), ("failed", 1), ("broken", 1)])
def test_an_ended_check_is_shown_with_its_findings_and_its_exit_code(
    place: Place, capsys: pytest.CaptureFixture[str], status: str, code: int
) -> None:
    folder = place.state / "reports" / X / COMMIT
    write_report(folder, report(status))
    ended(place, status, "quality looked", folder)
    assert follow(place.state, X, "text") == code
    out = capsys.readouterr().out
    assert "line too long" in out
    assert f"check {status}" in out
    assert str(folder) in out
    assert {p.name for p in folder.iterdir()} == {"report.json", "report.md", "report.sarif"}


def test_as_json_it_is_one_object_with_the_report(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    write_report(place.state / "r", report("passed"))
    ended(place, "passed", "", place.state / "r")
    follow(place.state, X, "json")
    body = json.loads(capsys.readouterr().out)
    assert (body["status"], body["kind"], body["report"]["branch"]) == ("passed", "check", X)


@pytest.mark.parametrize("text", [None, "", "[]", '{"schema": 99}', "{"])
def test_a_report_that_is_gone_or_damaged_does_not_hide_the_verdict(
    place: Place, capsys: pytest.CaptureFixture[str], text: str | None
) -> None:
    if text is not None:
        (place.state / "report.json").write_text(text)
    ended(place, "failed", "policy is red", place.state)
    assert follow(place.state, X, "text") == 1
    assert "policy is red" in capsys.readouterr().out


def test_again_asks_for_the_same_commit_once_more(place: Place) -> None:
    ended(place, "broken", "a tool is missing")
    with pytest.raises(NeedsPerson):
        follow(place.state, X, "text", again=True)
    job = place.jobs.newest(X)
    assert job is not None
    assert (job.commit, job.status, job.reason) == (COMMIT, "queued", "asked again")
    with pytest.raises(BadInput):
        follow(place.state, "feature/never", "text", again=True)


def test_status_shows_what_waits_and_the_last_delivery_only_while_it_is_red(place: Place) -> None:
    jobs = place.jobs
    for commit, status in ((COMMIT, "failed"), ("2" * 40, "passed"), ("3" * 40, "failed")):
        jobs.ask("deliver", "develop", commit, actor="ada", reason="merged x")
        job = jobs.take()
        assert job is not None
        jobs.end(job.id, status, "dev is frozen\n  thaw it")
        found = [one.commit for one in shown(place.state)]
        assert found == ([commit] if status == "failed" else [])
    jobs.ask("check", X, COMMIT, actor="ada")
    assert [job.kind for job in shown(place.state)] == ["check", "deliver"]
    assert job_remark(shown(place.state)[1]) == (
        "deliver of develop 333333333333: failed — dev is frozen (slipway check --follow develop)"
    )


def test_what_is_kept_of_a_persons_shell_is_for_the_owner_alone(tmp_path: Path) -> None:
    remember(
        tmp_path,
        {"HOME": "/h", "UV_INDEX_URL": "u", "UV_OFFLINE": "1", "AWS_SECRET": "s", "PATH": "/bin"},
    )
    assert remembered(tmp_path) == {"HOME": "/h", "UV_INDEX_URL": "u"}
    assert stat.S_IMODE((tmp_path / FILE).stat().st_mode) == 0o600
    (tmp_path / FILE).write_text("[")
    assert remembered(tmp_path) == {}
    os.remove(tmp_path / FILE)
    assert remembered(tmp_path) == {}
