"""Puts adapters into jobs: for the controller that has them done, and the child that does them."""

from __future__ import annotations

import json
import os
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines import wiring
from pipelines.flows.context import Context
from pipelines.model.check import Report
from pipelines.model.release import ENVIRONMENTS, Release
from pipelines.records.jobs import Job
from pipelines.targets.local.layout import Installation

if TYPE_CHECKING:
    from pipelines.flows.jobs import Tools
    from pipelines.flows.reviewing import Desk
    from pipelines.flows.working import Branches, Running

REPORT = "report.json"


def starter(state: Path) -> Callable[[Job], Running]:
    """Starts the child for a job: this very engine, with the person's settings for packages."""
    from pipelines.adapters.job_process import JobProcess
    from pipelines.adapters.person_tools import remembered

    state = Installation.load(state).state

    def start(job: Job) -> Running:
        argv = [sys.executable, "-I", "-m", "pipelines.cli.job", str(state), str(job.id)]
        environment = {**os.environ, **remembered(state), "SLIPWAY_STATE": str(state)}
        return JobProcess([*argv, str(os.getpid())], environment)

    return start


def engine_id() -> str:
    """Name of the installed engine this is; of a checkout, its folder."""
    return Path(sys.prefix).resolve().name


def become_child(parent: int) -> None:
    from pipelines.adapters.job_process import become

    become(parent)


def open_branches(state: Path) -> Branches:
    from pipelines.adapters.git_arrival import GitArrivals

    return GitArrivals(state.resolve() / "origin.git")


def open_tools(state: Path) -> Tools:
    """What the child uses. Imported in threads nowhere else, so it may be slow."""
    from pipelines.flows.jobs import Tools

    state = Installation.load(state).state
    return Tools(
        jobs=wiring.open_jobs(state),
        evidence=wiring.open_evidence(state),
        check=lambda branch, commit, say: run_check(state, branch, commit, say),
        build=lambda commit: build_commit(state, commit),
        contexts=lambda actor: contexts(state, actor),
        merge=lambda job: complete_merge(state, job),
    )


def contexts(state: Path, actor: str) -> Sequence[Context]:
    return [wiring.open_context(state, name, actor=actor) for name in ENVIRONMENTS]


def build_commit(state: Path, commit: str) -> Release:
    return wiring.open_store(state).build(state / "origin.git", commit=commit)


def run_check(
    state: Path, branch: str, commit: str, say: Callable[[str], None]
) -> tuple[Report, Path]:
    """Every stage of a commit of the origin, and where its report is; `say` hears which stages
    run."""
    from pipelines.adapters.change import Wanted
    from pipelines.flows.check import Event
    from pipelines.wiring_check import open_check

    guard, status = threading.Lock(), dict[str, str]()

    def hear(event: Event) -> None:
        with guard:
            if status.get(event.stage) != event.status:
                status[event.stage] = event.status
                say(", ".join(f"{name} {word}" for name, word in status.items()))

    check = open_check(state, Wanted(commit=commit, branch=branch))
    report = check.run(hear)
    write_report(check.reports, report)
    return report, check.reports


def write_report(folder: Path, report: Report) -> None:
    """`report.json`, `.md` and `.sarif` beside what the stages attached."""
    from pipelines.adapters.files import write_whole, writing
    from pipelines.stages.report_json import report_document
    from pipelines.stages.report_markdown import report_markdown
    from pipelines.stages.report_sarif import report_sarif

    with writing(folder):
        folder.mkdir(parents=True, exist_ok=True)
    write_whole(folder / "report.md", report_markdown(report).encode())
    for name, document in ((REPORT, report_document), ("report.sarif", report_sarif)):
        text = json.dumps(document(report), indent=2, ensure_ascii=False)
        write_whole(folder / name, (text + "\n").encode())


def complete_merge(state: Path, job: Job) -> tuple[str, str]:
    from pipelines.flows.merge import complete_checked

    return complete_checked(open_desk(state, job.actor), job)


def open_desk(state: Path, actor: str) -> Desk:
    """For approving and merging in the name of `actor`."""
    from pipelines.adapters.sqlite import open_records
    from pipelines.flows.reviewing import Desk

    state = Installation.load(state).state
    return Desk(
        origin=open_branches(state),
        evidence=wiring.open_evidence(state),
        jobs=wiring.open_jobs(state),
        audit=open_records(state, wiring.WORKER).audit,
        actor=actor,
        wake=lambda: wiring.wake_worker(state),
        strategies=lambda branch, commit: touched_strategies(state, branch, commit),
    )


def touched_strategies(state: Path, branch: str, commit: str) -> Sequence[str]:
    """By files, and by parameters in the values of an environment."""
    from pipelines.adapters.change import Wanted
    from pipelines.stages.values_changes import values_changes
    from pipelines.wiring_check import open_changes
    from policies import strategies

    change, _ = open_changes(state, None).read(Wanted(commit=commit, branch=branch))
    paths = [path for file in change.files for path in file.paths]
    plugins = [name for one in values_changes(change) for name in (one.before, one.after)]
    return strategies.touched(paths, plugins)
