"""What the child process does with a job: check a commit, complete a merge, deliver develop to dev."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from pipelines.flows.context import Context
from pipelines.flows.promote import promote, propose
from pipelines.flows.pruning import prune
from pipelines.model.check import BROKEN as STAGE_BROKEN
from pipelines.model.check import Report
from pipelines.model.errors import BadInput, InProgress, Refused, SlipwayError, Undone
from pipelines.model.evidence import CHECK, CHECK_RUNNER, REHEARSAL
from pipelines.model.release import Release
from pipelines.records import jobs as states
from pipelines.records.evidence import Evidence
from pipelines.records.jobs import DELIVER, Job, Jobs

WAIT_SECONDS = 1800.0
"""How long a delivery waits for promotions of others before it gives up."""
_LOOK_SECONDS = 1.0


class Checker(Protocol):
    """Runs the whole check of a commit that lies in the origin, and keeps its report: also the
    folder it is in."""

    def __call__(
        self, branch: str, commit: str, say: Callable[[str], None]
    ) -> tuple[Report, Path]: ...


@dataclass(frozen=True, slots=True)
class Outcome:
    """`status`: passed, failed, broken or superseded."""

    status: str
    message: str
    report: str = ""


@dataclass(frozen=True, slots=True)
class Tools:
    """What a job may use. `contexts`: every environment, dev first, in the name of an actor;
    `build`: a release from a commit of the origin; `merge`: completes the merge whose candidate was
    checked; status and message."""

    jobs: Jobs
    evidence: Evidence
    check: Checker
    build: Callable[[str], Release]
    contexts: Callable[[str], Sequence[Context]]
    merge: Callable[[Job], tuple[str, str]]


def work(tools: Tools, job: Job) -> Outcome:
    """Do the job to its end. What goes wrong is its outcome, not an error."""
    outcome = _outcome(tools, job)
    if job.kind == DELIVER and outcome.status in (states.FAILED, states.BROKEN):
        with suppress(SlipwayError):  # the job itself says it too
            tools.contexts(job.actor)[0].records.audit.append(
                actor=job.actor,
                action="deliver",
                reason=job.reason,
                result=outcome.status,
                details={"commit": job.commit, "message": outcome.message},
            )
    return outcome


def _outcome(tools: Tools, job: Job) -> Outcome:
    try:
        return _ACTS[job.kind](tools, job)
    except (Refused, Undone, BadInput) as error:
        return Outcome(states.FAILED, _words(error))
    except SlipwayError as error:
        return Outcome(states.BROKEN, _words(error))
    except Exception as error:
        # A defect ends this job, visibly; the next one is begun.
        return Outcome(states.BROKEN, f"a defect: {type(error).__name__}: {error}")


def _words(error: SlipwayError) -> str:
    return f"{error.message}\n  {error.hint}" if error.hint else error.message


def _check(tools: Tools, job: Job) -> Outcome:
    report, folder = tools.check(
        job.branch, job.commit, lambda words: tools.jobs.note(job.id, words)
    )
    sign(tools.evidence, report)
    return Outcome(status_of(report), summary_of(report), str(folder))


def sign(evidence: Evidence, report: Report) -> None:
    """One statement for each stage, also for red ones, and one more for a rehearsal: the newest
    counts."""
    for stage in report.stages:
        evidence.say(
            CHECK,
            report.source,
            {
                "stage": stage.stage,
                "status": stage.status,
                "summary": stage.summary,
                "samples": stage.samples,
                "document": dict(stage.document),
                "tools": dict(stage.tools),
                "inputs": dict(stage.inputs),
                "commit": report.commit,
                "target": report.target,
                "branch": report.branch,
                "base": report.base_commit,
                "base_source": report.base_source,
            },
            role=CHECK_RUNNER,
            signer=CHECK_RUNNER,
        )
        if rehearsal := stage.document.get("rehearsal"):
            # What was measured differs between two runs, so it is not in the stage's document.
            measured = stage.observed.get("rehearsal", {})
            evidence.say(
                REHEARSAL,
                report.source,
                {**measured, **rehearsal},
                role=CHECK_RUNNER,
                signer=CHECK_RUNNER,
            )


def status_of(report: Report) -> str:
    if report.passed:
        return states.PASSED
    broken = [stage for stage in report.stages if stage.status == STAGE_BROKEN]
    return states.BROKEN if broken or not report.stages else states.FAILED


def summary_of(report: Report) -> str:
    """One line: what is red, or how many stages are not."""
    red = [f"{stage.stage} {stage.status}: {stage.summary}" for stage in report.stages if stage.red]
    return "; ".join(red) or f"{len(report.stages)} stages passed or untouched"


def _merge(tools: Tools, job: Job) -> Outcome:
    """The candidate is what develop would become: it is merged when its own check is green."""
    checked = _check(tools, job)
    if checked.status != states.PASSED:
        return Outcome(checked.status, f"the merged tree is red: {checked.message}", checked.report)
    status, message = tools.merge(job)
    return Outcome(status, message, checked.report)


def _deliver(tools: Tools, job: Job) -> Outcome:
    """Build develop's commit and promote it into dev, after whatever else is going on there."""
    contexts = tools.contexts(job.actor)
    dev = contexts[0]
    tools.jobs.note(job.id, "building")
    release = tools.build(job.commit)
    prune(contexts, built=release.id)
    deadline = dev.monotonic() + WAIT_SECONDS
    while True:
        newest = tools.jobs.newest(job.branch, kind=DELIVER)
        if newest is not None and newest.id != job.id:
            return Outcome(states.SUPERSEDED, f"{newest.commit[:12]} came later")
        try:
            return _promote(tools, job, dev, release)
        except InProgress as error:
            if dev.monotonic() > deadline:
                return Outcome(states.FAILED, f"waited {WAIT_SECONDS:g} s in vain: {error.message}")
            tools.jobs.note(job.id, f"waits: {error.message}")
            dev.sleep(_LOOK_SECONDS)


def _promote(tools: Tools, job: Job, dev: Context, release: Release) -> Outcome:
    running = dev.records.journal.running()
    if running is not None:
        raise InProgress(f"{running.kind} of {running.release} by {running.actor} is under way")
    proposal = propose(dev, release.id, job.reason)
    if proposal.plan.empty:
        return Outcome(states.PASSED, f"{release.id} is active in {dev.environment} already")
    tools.jobs.note(job.id, f"promoting {release.id}")
    operation = promote(dev, proposal)
    name = operation.id if operation else ""
    return Outcome(states.PASSED, f"{release.id} is active in {dev.environment} ({name})")


_ACTS = {states.CHECK: _check, states.MERGE: _merge, states.DELIVER: _deliver}
