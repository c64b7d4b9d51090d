"""An alarm is a fact until it is over; people see it in `slipway status` and the audit."""

from __future__ import annotations

from pipelines.engine.decide import Decision, Verb
from pipelines.flows.context import Context

ALARM = "alarm"
UNHEARD_SECONDS = 300


def alarm(ctx: Context, decision: Decision) -> None:
    """Raise, change or end it by what was just seen."""
    journal = ctx.records.journal
    now = ctx.now().isoformat(timespec="seconds")
    reason = decision.reason if decision.verb is Verb.ALARM else ""
    standing = journal.fact(ALARM)
    if not reason and decision.verb is Verb.PUBLISH and decision.row is not None:
        waited = (ctx.now() - decision.row.changed_at).total_seconds()
        late = waited > UNHEARD_SECONDS
        reason = "git has not heard of a rollback for over 5 minutes" if late else ""
    if reason and (not standing or standing["reason"] != reason):
        journal.set_fact(ALARM, {"reason": reason, "at": now})
        ctx.records.audit.append(actor="slipway", action="alarm", result="standing", reason=reason)
    if not reason and standing:
        journal.set_fact(ALARM, None)
        ctx.records.audit.append(
            actor="slipway", action="alarm", result="over", reason=standing["reason"]
        )
