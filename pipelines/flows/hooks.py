"""The steps of a release as hooks in a cluster, where Argo CD is the one who syncs.

Each hook is a process of its own without a state folder. What it must know is in the branch
(`model.delivery`); what the others must know of it, it writes into the environment's database.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from pipelines.engine.admission import Admission, Way, admit
from pipelines.engine.guard import guard
from pipelines.flows.before_switch import verify_step
from pipelines.flows.hook_desk import Desk, Told
from pipelines.flows.hook_migrate import backup_hook, judge, migrate_hook
from pipelines.flows.hook_switch import LEASE_SECONDS, switch_hook
from pipelines.flows.run import Run, StepFailed, demand, run_step
from pipelines.model import hook
from pipelines.model.branch import BranchHead
from pipelines.model.errors import Refused, SlipwayError, StaleToken, Unavailable
from pipelines.model.hook import HookRecord, closed_key
from pipelines.model.live import MigrationStatus
from pipelines.model.steps import STEPS
from pipelines.records.protocols import Operation

ALONE_SECONDS = 20.0
BY_NAME = {step.name: step for step in STEPS}


def run_hook(desk: Desk, step: str) -> HookRecord:
    """Take the step; returns what was written down about it.

    Raises Refused (the release may not go in), Unavailable (try again), and what the step raises.
    """
    if not desk.records.alone(ALONE_SECONDS):
        raise Unavailable(
            f"another hook of {desk.ctx.environment} still runs", hint="it ends with its job"
        )
    found = admission(desk)
    try:
        message, details = _act(desk, step, found)
    except StaleToken as error:
        _write(desk, step, found, hook.STOPPED, error.message)
        raise Refused(f"{desk.delivery.release.id} was stopped: {error.message}") from None
    except StepFailed as failure:
        status = hook.REFUSED if step == "guard" else hook.FAILED
        _write(desk, step, found, status, failure.message)
        raise Refused(f"{step}: {failure.message}") from None
    except SlipwayError as error:
        if step != "guard":  # nothing was done yet, so it may simply be tried again
            _write(desk, step, found, hook.FAILED, error.message)
        raise
    status = hook.SKIPPED if message.startswith("skipped") else hook.SUCCEEDED
    return _write(desk, step, found, status, message, details)


def begin_hook(desk: Desk, step: str) -> str:
    """Before the application's own container of the pod: the schema is there, and a recorded once-key
    tells that container to do nothing."""
    desk.records.prepare()
    known = desk.records.once(desk.once_key) if desk.once_key else None
    if known:
        desk.files.skip()
        return f"skipped: {known} did it before"
    return "the application is asked"


def judge_hook(desk: Desk, step: str) -> str:
    return judge(desk, admission(desk))


def admission(desk: Desk) -> Admission:
    state = desk.delivery.state
    reading = desk.ctx.target.read_row()
    if reading.down:
        raise Unavailable(
            f"the database of {desk.ctx.environment} does not answer: {reading.detail}"
        )
    named = state.operation
    return admit(state, reading.row, desk.records.of(named), ran=desk.records.ran(named))


def _act(desk: Desk, step: str, found: Admission) -> Told:
    if found.way is Way.REFUSED:
        raise StepFailed(step, found.words)
    if found.way is Way.ALREADY or (found.way is Way.GO_ON and step != "switch"):
        return f"skipped: {found.words}", {}
    return _ACTS[step](desk, found)


def _guard(desk: Desk, found: Admission) -> Told:
    """Holds and migrations. Freeze and evidence are asked where the commit is made: what proves them
    lies there."""
    release = desk.delivery.release
    status = desk.ctx.target.migration_status(release)
    if status.missing and desk.records.confirmed(release.id):
        status = _way_back(desk, release.id, status)
    checks = guard(desk.delivery.state, release, freeze=None, migrations=status)
    return demand("guard", checks), {"pending": list(status.pending)}


def _way_back(desk: Desk, release: str, status: MigrationStatus) -> MigrationStatus:
    """The branch names a release that was good here before, as after a `git revert`. What was migrated
    since then only added something, or it closed this way; verify asks the release itself."""
    if desk.records.once(closed_key(release)):
        raise StepFailed("guard", f"the way back to {release} was closed by a contract migration")
    return replace(status, missing=())


def _verify(desk: Desk, found: Admission) -> Told:
    run = begin(desk, found)
    _require_guard(desk, found)
    _write(desk, "verify", found, hook.RUNNING, "")
    run_step(run, BY_NAME["verify"], verify_step)
    ended = run.ctx.records.journal.get(run.operation.id)
    assert ended is not None
    words = next(step.detail for step in ended.steps if step.name == "verify")
    return words, {"verify": run.recall("verify")}


def _switch(desk: Desk, found: Admission) -> Told:
    run = begin(desk, found)
    if found.way is Way.GO:
        _require_verified(desk, found)
    _write(desk, "switch", found, hook.RUNNING, "")
    resumed = found.way is Way.GO_ON
    return switch_hook(run, resumed=resumed, take_token=desk.records.take_token)


def _require_guard(desk: Desk, found: Admission) -> None:
    _require(desk, found, "guard", (hook.SUCCEEDED,))


def _require_verified(desk: Desk, found: Admission) -> None:
    _require(desk, found, "verify", (hook.SUCCEEDED,))


def _require(desk: Desk, found: Admission, step: str, good: tuple[str, ...]) -> None:
    """Somebody may have run one job by hand, or the order of the branch may have been changed."""
    passed = [
        one
        for one in desk.records.of(found.operation)
        if (one.operation, one.step) == (found.operation, step) and one.status in good
    ]
    if not passed:
        raise StepFailed(step, f"hook {step} has not passed for {found.operation}")


def begin(desk: Desk, found: Admission) -> Run:
    """The operation in this pod's own records, under a token that nobody else has."""
    ctx, delivery = desk.ctx, desk.delivery
    token = ctx.records.lock.acquire(
        ctx.actor,
        found.operation,
        lease_seconds=LEASE_SECONDS,
        at_least=desk.records.take_token(),
    )
    state, release = delivery.state, delivery.release
    operation = ctx.records.journal.open(
        Operation(
            id=found.operation,
            kind="bootstrap" if found.former is None else "promotion",
            release=release.id,
            from_slot=str(state.active.other) if found.former else "",
            to_slot=str(state.active),
            commit=release.source_commit,
            actor=state.actor,
            reason=state.reason,
            options={},
            plan_digest="",
            status="running",
            message="",
            started_at=ctx.now().isoformat(),
            ended_at="",
            switch_seconds=None,
            token=token,
        )
    )
    # Its own commit's id cannot be in what the commit holds: the row names the source instead.
    head = BranchHead(release.source_commit, None, state)
    return Run(ctx, operation, token, head, release, state.active, found.former, None)


def _write(
    desk: Desk,
    step: str,
    found: Admission,
    status: str,
    message: str,
    details: dict[str, object] | None = None,
) -> HookRecord:
    state = desk.delivery.state
    record = HookRecord(
        operation=found.operation,
        step=step,
        named=state.operation,
        release=desk.delivery.release.id,
        slot=str(state.active),
        status=status,
        message=message,
        at=desk.ctx.now().isoformat(timespec="seconds"),
        details=details or {},
    )
    if _says_more(desk, record):
        desk.records.write(record)
    return record


def _says_more(desk: Desk, record: HookRecord) -> bool:
    """What a hook did is not overwritten by the one that found nothing to do afterwards, nor the
    reason of a failure by the refusal to try it again."""
    known = [one for one in desk.records.of(record.operation) if one.operation == record.operation]
    done = any(one.step == record.step and one.status == hook.SUCCEEDED for one in known)
    failed = any(one.status in (hook.FAILED, hook.STOPPED) for one in known)
    if record.status == hook.SKIPPED:
        return not done
    if record.status == hook.SUCCEEDED:
        return True
    return not failed


_ACTS: dict[str, Callable[[Desk, Admission], Told]] = {
    "guard": _guard,
    "backup": backup_hook,
    "migrate": migrate_hook,
    "verify": _verify,
    "switch": _switch,
}
