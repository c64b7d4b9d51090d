"""The hook `switch`: switch, soak and confirm in one process, and back when one of them says no."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from pipelines.flows.give_back import return_live
from pipelines.flows.run import Run, StepFailed, run_step
from pipelines.flows.switch import analyse_step, switch_step
from pipelines.model.errors import NeedsPerson
from pipelines.model.steps import STEPS

LEASE_SECONDS = 86_400.0
"""Of the lock in this pod's own records; nobody else sees it."""
_STEPS = {step.name: step for step in STEPS}


def switch_hook(
    run: Run, *, resumed: bool, take_token: Callable[[], int]
) -> tuple[str, dict[str, Any]]:
    """Words, and what evidence is made of. `resumed`: the row is switched already, and whoever did it
    was killed. `take_token` gives a larger token than every one before. Raises StepFailed when it was
    switched back, or not switched at all."""
    try:
        if resumed:
            _take_up(run)
        run_step(run, _STEPS["switch"], switch_step)
        run_step(run, _STEPS["analyse"], analyse_step)
        run_step(run, _STEPS["confirm"], _confirm)
    except StepFailed as failure:
        back = _back(_fenced(run, take_token()), failure)
        raise StepFailed("switch", f"{failure.step}: {failure.message}{back}") from None
    seconds = run.recall("switch_seconds")
    told = {key: run.recall(key) for key in ("switched_at", "confirmed_at", "analysis")}
    told |= {"switch_seconds": seconds, "soaked_seconds": run.recall("soaked_seconds")}
    return f"{run.release.id} is active in {run.to} and confirmed", told


def _take_up(run: Run) -> None:
    """The row says since when; what the old release answered before is not known any more."""
    row = run.row()
    assert row is not None
    run.effect("switch.baseline", lambda: None)
    run.remember("switched_at", row.changed_at.isoformat())
    late = row.confirm_by is not None and run.ctx.now() > row.confirm_by
    if late and run.former is not None:  # the first has nothing to go back to: it is judged late
        raise StepFailed("analyse", "nobody confirmed the switch in time: the analysis died")


def _confirm(run: Run) -> str:
    run.remember("confirmed_at", run.ctx.now().isoformat())
    run.ctx.target.confirm(run.operation.id, run.token)
    return f"{run.release.id} confirmed in {run.to}"


def _fenced(run: Run, token: int) -> Run:
    """A hand-over that was cut at its time limit may still run in its pod: with the older token it
    cannot switch any more, so what the row says now is how it ended."""
    lock = run.ctx.records.lock
    taken = lock.preempt(run.ctx.actor, "back", lease_seconds=LEASE_SECONDS, at_least=token)
    return replace(run, token=taken)


def _back(run: Run, failure: StepFailed) -> str:
    """Row and traffic to the old slot, if they left it. The revert and the hold are written by whoever
    may write to git."""
    row = run.row()
    if row is None or row.operation != run.operation.id:
        return ""
    if run.former is None:
        raise NeedsPerson(
            f"the first release of {run.ctx.environment} failed at {failure.step}: {failure.message}",
            hint="there is no older release to go back to; promote one that is mended",
        )
    return_live(run, row, f"{failure.step}: {failure.message}")
    return f"; {run.former} in {run.from_slot} is active again"
