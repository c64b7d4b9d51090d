"""What follows a failed release: back to the old slot, revert, hold, restage. Resumable."""

from __future__ import annotations

from typing import Any, cast

from pipelines.flows.migrating import failed_migrating, undo_migrations
from pipelines.flows.publish import publish
from pipelines.flows.run import Run
from pipelines.flows.slots import bring_back, restage
from pipelines.model.branch import ActiveRow
from pipelines.model.errors import NeedsPerson, Refused, SlipwayError, Undone
from pipelines.model.live import Handover


def give_back(run: Run) -> SlipwayError:
    """Undo a failed operation; raises Unavailable to be called again later. Returns the error to show."""
    failure = cast(dict[str, Any], run.recall("failed"))
    step, message = failure["step"], failure["message"]
    ctx = run.ctx
    row = run.row()
    switched = row is not None and row.operation == run.operation.id
    if switched:
        if run.former is None:
            raise NeedsPerson(
                f"the first release of {ctx.environment} failed at {step}: {message}",
                hint="there is no older release to go back to; fix it, then: slipway build, slipway promote",
            )
        ctx.say("return", "running", message)
        return_live(run, row, message)
    if failed_migrating(ctx, run.operation.id):
        run.effect("migrate.undo", lambda: undo_migrations(ctx, run.operation.id, run.release))
    # What the guard refuses is not bad, only not allowed now: reverted, not held.
    bad = None if step == "guard" else run.release.id
    run.effect(
        "publish.revert",
        lambda: publish(
            ctx,
            row=run.row(),
            bad=bad,
            reason=f"{step}: {message}",
            actor=f"slipway (promotion by {run.operation.actor})",
            operation=f"{run.operation.id}-back",
        ),
    )
    run.effect("publish.published", lambda: _mark(run))
    run.effect("restage.restage", lambda: restage(ctx, run.row()))
    return _undone(run, step, message, switched)


def _mark(run: Run) -> None:
    row = run.row()
    if row is not None and not row.published:
        run.ctx.target.mark_published(row.operation, run.token)


def return_live(run: Run, row: ActiveRow | None, message: str) -> None:
    """Row and traffic to the old slot, which is brought back first if it must be."""
    ctx, former = run.ctx, run.former
    assert former is not None
    assert row is not None
    old = ctx.store.get(former)
    started = ctx.monotonic()
    bring_back(ctx, run.from_slot, old)

    def back() -> None:
        ctx.target.handover(
            old,
            Handover(
                slot=run.from_slot,
                release=old.id,
                operation=f"{run.operation.id}-back",
                commit=row.commit,
                token=run.token,
                expect_epoch=row.epoch,
                confirm_by=None,
                published=False,
                reason=message,
            ),
        )

    run.effect("return.handover-back", back)
    finish_return(run)
    ctx.say(
        "return", "done", f"{old.id} in {run.from_slot} answers again", ctx.monotonic() - started
    )


def finish_return(run: Run) -> None:
    """Projections of the row after a return: old slot accepts, bad slot is killed."""
    target = run.ctx.target

    def traffic() -> None:
        target.set_traffic(run.from_slot, live=True, wait_seconds=2.0)
        target.set_traffic(run.to, live=False)

    run.effect("return.traffic-back", traffic)
    run.effect("return.stop-bad", lambda: target.stop_slot(run.to, kill=True))


def _undone(run: Run, step: str, message: str, switched: bool) -> SlipwayError:
    env = run.ctx.environment
    if step == "guard":
        return Refused(
            f"{run.release.id} may not go into {env}: {message}", hint="the branch was reverted"
        )
    where = (
        f"{run.former} in {run.from_slot} is active again"
        if switched
        else (f"{run.former or 'nothing'} stayed active")
    )
    return Undone(
        f"{run.release.id} (version {run.release.version}) did not make it into {env}: {step}: {message}",
        hint=f"{where}; the release is held. Look at: slipway logs {env} --slot {run.to}, "
        f"slipway history {env}; lift the hold with: slipway unhold {env} {run.release.id} --reason …",
    )
