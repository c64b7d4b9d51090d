"""A version through its life: cut on the way to staging, landed once it runs in production."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.flows.context import Context
from pipelines.flows.cutting import CutPlan, cut, existing, plan_cut
from pipelines.flows.landing import Landing, land, landed, try_landing
from pipelines.flows.source_ports import CutRecord
from pipelines.model.errors import InProgress, SlipwayError
from pipelines.model.evidence import PERSON, VERSION
from pipelines.model.release import ENVIRONMENTS, Release
from pipelines.model.source import source_digest

FIRST, LAST = ENVIRONMENTS[0], ENVIRONMENTS[-1]
CONTROLLER = "slipway"
TROUBLE = "landing_trouble"
_SETTLED = "landing_settled"
_TRIES = 5


def to_cut(ctx: Context, release: Release, contracts: Sequence[str]) -> CutPlan | None:
    """The version this promotion will give to the release, if any. Hotfixes get theirs on the way to
    production, since they may pass staging by. `contracts`: its contract migrations still pending."""
    if ctx.environment == FIRST:
        return None
    return plan_cut(ctx.source(), release, contracts, hotfixes=ctx.environment == LAST)


def require_landing(ctx: Context, release: Release, plan: CutPlan | None) -> CutRecord | None:
    """What will be merged to `main` after this promotion; Refused when that will not be possible."""
    if ctx.environment != LAST:
        return None
    source = ctx.source()
    record = _as_planned(plan) if plan else existing(source, release)
    if record is None or landed(source, record):
        return None
    try_landing(source, record)
    return record


def _as_planned(plan: CutPlan) -> CutRecord:
    return CutRecord(str(plan.version), plan.release, plan.branch, plan.ref, plan.base, plan.base)


def require_namer(ctx: Context, release: Release, plan: CutPlan | None) -> None:
    """Giving a version is said by the person who promotes. Refused before the branch is made when
    that person could not: half a version is no version."""
    if ctx.environment == FIRST or (plan is None and not _unnamed(ctx, release)):
        return
    source = source_digest(release.parts)
    ctx.evidence().require_voice(source, role=PERSON, signer=ctx.actor)


def cut_now(ctx: Context, release: Release, plan: CutPlan) -> CutRecord:
    """Branch and changelog, the name in the release store, and the signed statement. Repeated after
    a crash it goes on where it stopped."""
    day = ctx.now().date().isoformat()
    record = cut(ctx.source(), plan, actor=ctx.actor, day=day)
    _name(ctx, release, record)
    ctx.records.audit.append(
        actor=ctx.actor,
        action="cut",
        result="done",
        details={"version": record.version, "release": release.id, "branch": record.branch},
    )
    return record


def _name(ctx: Context, release: Release, record: CutRecord) -> None:
    ctx.store.give_alias(release, record.version)
    ctx.evidence().say(
        VERSION,
        source_digest(release.parts),
        {
            "release": release.id,
            "version": record.version,
            "commit": record.commit,
            "branch": record.branch,
        },
        role=PERSON,
        signer=ctx.actor,
        release=release.id,
    )


def complete_name(ctx: Context, release: Release) -> None:
    """After a crash between the branch and the name: the name is given now."""
    if record := _unnamed(ctx, release):
        _name(ctx, release, record)


def _unnamed(ctx: Context, release: Release) -> CutRecord | None:
    record = existing(ctx.source(), release)
    return record if record is not None and release.version != record.version else None


def land_active(ctx: Context, *, actor: str, reason: str) -> Landing | None:
    """Land what runs in production, if it is confirmed and has a version that `main` does not have.

    None when there is nothing to land. Trouble is remembered for `slipway status` and raised.
    """
    row = ctx.target.read_row().row
    if ctx.environment != LAST or row is None or row.provisional:
        return None
    journal = ctx.records.journal
    key = f"{row.release} {row.epoch}"
    if journal.fact(_SETTLED) == key:
        return None
    source = ctx.source()
    record = next((one for one in source.cuts() if one.release == row.release), None)
    if record is None or landed(source, record):
        journal.set_fact(_SETTLED, key)
        return None
    heads = [source.head("main"), source.head("develop")]
    trouble = journal.fact(TROUBLE)
    if trouble and actor == CONTROLLER and trouble["heads"] == heads:
        return None  # nobody has changed what it failed on
    try:
        landing = _landed(ctx, record, actor, reason or row.reason)
    except SlipwayError as error:
        journal.set_fact(
            TROUBLE, {"version": record.version, "reason": error.message, "heads": heads}
        )
        raise
    journal.set_fact(TROUBLE, None)
    journal.set_fact(_SETTLED, key)
    ctx.records.audit.append(
        actor=actor,
        action="land",
        reason=reason or row.reason,
        result="done",
        details={"version": record.version, "main": landing.main, "develop": landing.develop},
    )
    return landing


def _landed(ctx: Context, record: CutRecord, actor: str, reason: str) -> Landing:
    """Somebody may merge to develop at the same moment: look again, a few times."""
    for left in range(_TRIES, 0, -1):
        try:
            return land(ctx.source(), record, actor=actor, reason=reason)
        except InProgress:
            if left == 1:
                raise
            ctx.sleep(0.1)
    raise AssertionError("unreachable")
