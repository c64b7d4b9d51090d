"""`slipway up`, its second half: run by the installed engine, over the records and branches.

Each environment is made to run; one that never had a release gets the `bootstrap` release by the
same promotion people use later; any other is brought back to what its branch and row say.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from pipelines.engine.decide import Verb, decide
from pipelines.flows.commits import read_branch
from pipelines.flows.context import Context
from pipelines.flows.promote import promote, propose
from pipelines.flows.slots import require_slots
from pipelines.model.branch import BranchReading
from pipelines.model.errors import NeedsPerson, SlipwayError
from pipelines.model.live import Health
from pipelines.model.release import Release
from pipelines.model.slots import SlotContent

SETTLE_SECONDS = 90.0
REASON = "first installation"


def first_release(context: Context, checkout: Path) -> Release:
    """The newest release there is. HEAD is built, uncommitted changes left out, when the store is
    empty or the first release never became active: somebody has mended HEAD since."""
    newest = context.store.newest()
    if newest is not None and not _never_released(read_branch(context)):
        context.say("release", "done", f"{newest.id} is there already")
        return newest
    context.say("release", "running", "building HEAD: wheel, locked dependencies, digests")
    started = context.monotonic()
    release = context.store.build(checkout, allow_dirty=True)
    context.say("release", "done", f"{release.id} built", context.monotonic() - started)
    return release


def _never_released(branch: BranchReading) -> bool:
    if branch.head is not None:
        return branch.head.state.active_content is None
    return branch.trouble == "absent"


def bring_up(
    contexts: Sequence[Context], release: Release, start_controller: Callable[[str], None]
) -> None:
    """All environments side by side. BadInput, before anything runs, for a release without slots
    that would come to a cluster; NeedsPerson names those that did not come up."""
    for ctx in contexts:
        _require_slots(ctx, release)
    with ThreadPoolExecutor(len(contexts)) as pool:
        ended = pool.map(lambda ctx: _guarded(ctx, release, start_controller), contexts)
        failed = [
            (ctx.environment, error)
            for ctx, error in zip(contexts, ended, strict=True)
            if error is not None
        ]
    if failed:
        hints = dict.fromkeys(error.hint for _, error in failed if error.hint)
        raise NeedsPerson(
            "; ".join(f"{environment}: {error.message}" for environment, error in failed),
            hint="; ".join(hints) or "look at: slipway doctor, slipway logs ENV",
        )


def _require_slots(ctx: Context, first: Release) -> None:
    reading = read_branch(ctx)
    named = reading.head.state.active_content if reading.head else None
    if _never_released(reading):
        named = SlotContent(first.id, first.version, first.source_commit)
    require_slots(ctx, named)


def _guarded(
    ctx: Context, release: Release, start_controller: Callable[[str], None]
) -> SlipwayError | None:
    try:
        bring_up_one(ctx, release, start_controller)
    except SlipwayError as error:
        ctx.say("up", "failed", error.message)
        return error
    return None


def bring_up_one(ctx: Context, release: Release, start_controller: Callable[[str], None]) -> None:
    """Database, services, supervisor and controller run; then a release is active and healthy."""
    ctx.say("ensure", "running", "supervisor, database, venue")
    started = ctx.monotonic()
    ctx.target.ensure(release)
    start_controller(ctx.environment)
    ctx.say("ensure", "done", "supervisor, database, venue", ctx.monotonic() - started)
    reading, row = read_branch(ctx), ctx.target.read_row()
    if _never_released(reading) and row.row is None and not row.down:
        promote(ctx, propose(ctx, release.id, REASON, kind="bootstrap"))
    settle(ctx)


def settle(ctx: Context) -> None:
    """Wait until branch, row and live agree; NeedsPerson says what is missing after the limit."""
    started = ctx.monotonic()
    while missing := _missing(ctx):
        if ctx.monotonic() - started > SETTLE_SECONDS:
            raise NeedsPerson(f"not settled after {SETTLE_SECONDS:g} s: {missing}")
        ctx.say("settle", "running", missing)
        ctx.wake()
        ctx.sleep(0.25)
    ctx.say("settle", "done", "branch, row and live agree", ctx.monotonic() - started)


def _missing(ctx: Context) -> str:
    """Why the environment is not what it should be; empty when it is."""
    branch, row = read_branch(ctx), ctx.target.read_row()
    decision = decide(branch, row, ctx.now())
    if decision.verb is Verb.ALARM:
        return ""  # live stays as it is; status and doctor say so
    if decision.verb not in (Verb.NOTHING, Verb.RESUME):
        return f"{decision.verb.value}: {decision.reason}"
    if row.row is None:
        return "no release is active yet"
    live = ctx.target.observe()
    slot = live.slots[row.row.slot]
    if slot.health is not Health.HEALTHY:
        return f"{slot.slot} is {slot.health} {slot.message}".strip()
    wrong = [name for name, health in live.services.items() if health is not Health.HEALTHY]
    return f"{', '.join(wrong)} not running" if wrong else ""
