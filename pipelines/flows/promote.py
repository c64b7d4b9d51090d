"""Promotion: one commit on `env/<env>`, then the controller (or this command) makes it live."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from pipelines.engine.guard import guard
from pipelines.flows.commits import new_operation_id, require_head, write
from pipelines.flows.context import Context
from pipelines.flows.cutting import CutPlan
from pipelines.flows.earning import earned
from pipelines.flows.follow import follow
from pipelines.flows.publish import content_of
from pipelines.flows.source_ports import CutRecord
from pipelines.flows.versions import (
    complete_name,
    cut_now,
    land_active,
    require_landing,
    require_namer,
    to_cut,
)
from pipelines.model.branch import ActiveRow, BranchHead, BranchState
from pipelines.model.errors import BadInput, InProgress, Refused, SlipwayError, Unavailable
from pipelines.model.live import Check
from pipelines.model.plan import Plan, PlanItem
from pipelines.model.release import ENVIRONMENTS, Release
from pipelines.model.slots import Slot, SlotContent
from pipelines.model.source import source_digest
from pipelines.model.steps import STEPS
from pipelines.records.protocols import Operation, StepRecord


@dataclass(frozen=True, slots=True)
class Proposal:
    """A promotion thought through: what the commit will say and the plan printed for it. `cut`: the
    version that the release is given on the way."""

    head: BranchHead | None
    state: BranchState
    release: Release
    plan: Plan
    cut: CutPlan | None = None


def default_release(ctx: Context) -> Release:
    """dev: the newest build; staging: active in dev; production: active in staging."""
    index = ENVIRONMENTS.index(ctx.environment)
    if index == 0:
        newest = ctx.store.newest()
        if newest is None:
            raise Refused("no release was built yet", hint="build one: slipway build")
        return newest
    before = ENVIRONMENTS[index - 1]
    row = ctx.sibling(before).target.read_row().row
    if row is None:
        raise Refused(
            f"nothing is active in {before}", hint=f"promote there first: slipway promote {before}"
        )
    if row.provisional:
        raise Refused(
            f"{row.release} is still under analysis in {before}", hint="wait for it: slipway status"
        )
    return ctx.store.get(row.release)


def named_release(ctx: Context, name: str) -> Release:
    """By id, version, number or commit; by branch, the release with what is at its head."""
    head = ctx.source().head(name) if "/" in name or name in ("main", "develop") else None
    if head is None:
        return ctx.store.get(name)
    wanted = source_digest(ctx.source().trees(head))
    for release in reversed(ctx.store.all()):
        if source_digest(release.parts) == wanted:
            return release
    raise Refused(
        f"no release was built from what is at the head of {name} ({head[:12]})",
        hint=f"git switch {name} && slipway build",
    )


def propose(
    ctx: Context,
    release_name: str | None,
    reason: str,
    *,
    kind: str = "promotion",
    only_looking: bool = False,
) -> Proposal:
    """Everything that can be refused is refused here, before anything is written.

    Somebody who is `only_looking` needs no reason.

    Raises Refused (hold, freeze, migrations, unknown, unbuilt, no key), BadInput (no reason where
    one is needed), InProgress (an operation runs). An empty plan means: nothing to do.
    """
    settings = ctx.settings()
    if settings.reason_required and not (reason or only_looking) and kind == "promotion":
        raise BadInput(f"a promotion to {ctx.environment} needs a reason", hint='add: --reason "…"')
    release = named_release(ctx, release_name) if release_name else default_release(ctx)
    reading = ctx.target.read_row()
    if reading.down:
        raise Unavailable(
            f"the database of {ctx.environment} does not answer: {reading.detail}",
            hint="start it: slipway up",
        )
    head = require_head(ctx, may_be_absent=True)
    row = reading.row
    state = _next_state(ctx, head, row, release, reason, kind)
    migrations = ctx.target.migration_status(release)
    nothing = row is not None and row.release == release.id
    asked = () if nothing else earned(ctx, state, release, first=row is None, migrations=migrations)
    checks = guard(
        state,
        release,
        freeze=ctx.records.freeze.state(),
        migrations=migrations,
        earned=asked,
    )
    _demand(checks, ctx.environment, release.id)
    if nothing:
        return Proposal(head, state, release, _nothing_to_do(state, release))
    _nobody_else(ctx)
    if ctx.manifests is not None:
        ctx.manifests.candidate(release, state.active)  # a chart that does not render says no here
    cut, lands = (
        _version(ctx, release, migrations.contract, only_looking)
        if kind == "promotion"
        else (None, None)
    )
    if cut is not None:
        release = replace(release, version=str(cut.version))
        state = _next_state(ctx, head, row, release, reason, kind)
    before = (PlanItem("cut", cut.words),) if cut else ()
    after = (PlanItem("land", _landing_words(lands)),) if lands else ()
    plan = _plan(ctx, state, row, release, migrations.pending)
    plan = replace(plan, items=(*before, *plan.items, *after))
    return Proposal(head, state, release, plan, cut)


def _version(
    ctx: Context, release: Release, contracts: Sequence[str], only_looking: bool
) -> tuple[CutPlan | None, CutRecord | None]:
    """What will be cut, and what will be merged to `main` afterwards."""
    cut = to_cut(ctx, release, contracts)
    lands = require_landing(ctx, release, cut)
    if not only_looking:
        require_namer(ctx, release, cut)
    return cut, lands


def _demand(checks: Sequence[Check], environment: str, release: str) -> None:
    """Refused with every reason, each on a line of its own when there are more than one."""
    bad = [check.message for check in checks if not check.ok]
    if len(bad) == 1:
        raise Refused(bad[0])
    if bad:
        title = f"{release} may not go into {environment}, for {len(bad)} reasons:"
        raise Refused("\n  ".join([title, *bad]))


def _landing_words(record: CutRecord) -> str:
    return (
        f"{record.branch} is merged to main, tagged v{record.version}, main merged back to develop"
    )


def _nobody_else(ctx: Context) -> None:
    running = ctx.records.journal.running()
    if running is not None:
        raise InProgress(
            f"{running.kind} of {running.release} into {ctx.environment} by {running.actor} is under way "
            f"since {running.started_at}",
            hint=f"wait for it: slipway status; or go back: slipway rollback {ctx.environment} --reason …",
        )


def _next_state(
    ctx: Context,
    head: BranchHead | None,
    row: ActiveRow | None,
    release: Release,
    reason: str,
    kind: str,
) -> BranchState:
    to = row.slot.other if row else Slot.BLUE
    slots: dict[Slot, SlotContent | None] = {Slot.BLUE: None, Slot.GREEN: None}
    if row is not None:
        slots[row.slot] = content_of(ctx, row.release)
    slots[to] = SlotContent(release.id, release.version, release.source_commit)
    return BranchState(
        environment=ctx.environment,
        active=to,
        slots=slots,
        holds=head.state.holds if head else (),
        kind=kind,
        reason=reason,
        actor=ctx.actor,
        operation=new_operation_id(kind),
        at=ctx.now().isoformat(timespec="seconds"),
        audit_head="",
    )


def _title(environment: str, release: Release) -> str:
    return f"promote {release.id} (version {release.version}) to {environment}"


def _nothing_to_do(state: BranchState, release: Release) -> Plan:
    slot = str(state.active.other)
    title = _title(state.environment, release)
    return Plan(state.environment, title, release.id, slot, slot, (), "")


def _plan(
    ctx: Context,
    state: BranchState,
    row: ActiveRow | None,
    release: Release,
    pending: tuple[str, ...],
) -> Plan:
    settings, to = ctx.settings(), state.active
    items = [PlanItem("guard", "holds, freeze, migrations and evidence are asked again")]
    if pending:
        items.append(PlanItem("backup", "a base backup is taken and verified"))
        items.append(PlanItem("migrate", f"expand migrations {', '.join(pending)}"))
    items += [
        PlanItem("stage", f"{release.id} starts in {to}"),
        PlanItem("verify", "health, version of every process, application checks, shadow run"),
        PlanItem("switch", f"traffic and trading lease go to {to}"),
        PlanItem("analyse", f"{settings.soak_seconds:g} s soak under own probes"),
        PlanItem("confirm", "the switch is made final"),
    ]
    way_back = (
        f"{row.release} stays warm in {row.slot}; slipway rollback {ctx.environment} --reason …"
        if row
        else "none: this is the first release"
    )
    return Plan(
        ctx.environment,
        _title(ctx.environment, release),
        release.id,
        str(row.slot) if row else "",
        str(to),
        tuple(items),
        way_back,
    )


def promote(ctx: Context, proposal: Proposal, *, wait: bool = True) -> Operation | None:
    """Apply a proposal. Returns the closed operation, or None when there is nothing to do.

    With `wait=False` returns the operation as just begun by the commit. Raises Undone when it
    failed and was taken back, Refused when the guard said no, InProgress when the branch moved.
    """
    if proposal.plan.empty:
        return None
    state, plan = proposal.state, proposal.plan
    ctx.records.audit.append(
        actor=ctx.actor,
        action=state.kind,
        reason=state.reason,
        plan_digest=plan.digest,
        result="asked",
        options={"release": proposal.release.id, "wait": wait},
        details={
            "operation": state.operation,
            "from_slot": plan.from_slot,
            "to_slot": plan.to_slot,
        },
    )
    if proposal.cut is not None:
        cut_now(ctx, proposal.release, proposal.cut)
    elif state.kind == "promotion" and ctx.environment != ENVIRONMENTS[0]:
        complete_name(ctx, proposal.release)
    subject = (
        f"Promote {proposal.release.id} (version {proposal.release.version}) to {ctx.environment}"
    )
    commit = write(
        ctx,
        state,
        expect=proposal.head.commit if proposal.head else None,
        subject=f"{subject}\n\n{state.reason}" if state.reason else subject,
    )
    begun = _begun(ctx, proposal, commit)
    ctx.wake()
    if not wait:
        return begun
    ended = follow(ctx, begun)
    _land(ctx, state.reason)
    return ended


def _land(ctx: Context, reason: str) -> None:
    """The release is live whatever comes of this: `slipway status` names the trouble until the
    controller, which tries again, or a person has ended it."""
    try:
        land_active(ctx, actor=ctx.actor, reason=reason)
    except SlipwayError as error:
        ctx.say("land", "failed", f"released, and not landed on main: {error.message}")


def _begun(ctx: Context, proposal: Proposal, commit: str) -> Operation:
    plan, state = proposal.plan, proposal.state
    return Operation(
        id=state.operation,
        kind=state.kind,
        release=proposal.release.id,
        from_slot=plan.from_slot,
        to_slot=plan.to_slot,
        commit=commit,
        actor=ctx.actor,
        reason=state.reason,
        options={},
        plan_digest=plan.digest,
        status="running",
        message="",
        started_at=ctx.now().isoformat(),
        ended_at="",
        switch_seconds=None,
        token=0,
        steps=tuple(
            StepRecord(item.action, "pending", 0.0)
            for item in plan.items
            if item.action in {step.name for step in STEPS}
        ),
    )
