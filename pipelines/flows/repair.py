"""What `slipway doctor` looks at in an installation, and the one repair it makes: a branch."""

from __future__ import annotations

from pipelines.flows.commits import KNOWN
from pipelines.flows.context import Context
from pipelines.flows.doctor import Finding
from pipelines.model.errors import NeedsPerson, SlipwayError

REPAIRABLE = ("deleted", "rewritten", "foreign", "broken")


def look_over(ctx: Context) -> list[Finding]:
    """Branch, database and audit of one environment. Never raises for what does not answer."""
    return [_branch(ctx), _database(ctx), _audit(ctx)]


def _branch(ctx: Context) -> Finding:
    name, known = f"branch env/{ctx.environment}", ctx.records.journal.fact(KNOWN)
    try:
        reading = ctx.origin.read(ctx.environment, known)
    except SlipwayError as error:
        return Finding(name, "fail", error.message, error.hint)
    if reading.head is not None:
        return Finding(name, "ok", reading.head.commit[:12])
    if reading.trouble == "absent":
        return Finding(name, "warn", "no release yet", "slipway up")
    mend = "slipway doctor --repair" if reading.trouble in REPAIRABLE and known else "slipway up"
    return Finding(name, "fail", f"{reading.trouble}: {reading.detail}", mend)


def _database(ctx: Context) -> Finding:
    name = f"database {ctx.environment}"
    reading = ctx.target.read_row()
    if reading.down:
        return Finding(name, "fail", reading.detail or "does not answer", "slipway up")
    return Finding(name, "ok", reading.row.release if reading.row else "no release yet")


def _audit(ctx: Context) -> Finding:
    name = f"audit {ctx.environment}"
    try:
        problems = ctx.records.audit.verify(ctx.origin.anchors(ctx.environment))
    except SlipwayError as error:
        return Finding(name, "warn", error.message)
    if problems:
        return Finding(name, "fail", problems[0], f"slipway audit verify {ctx.environment}")
    return Finding(name, "ok", "whole")


def repair_branch(ctx: Context) -> str | None:
    """Point `env/<env>` at the last commit the journal knows. None when it is as it should be."""
    known = ctx.records.journal.fact(KNOWN)
    reading = ctx.origin.read(ctx.environment, known)
    if reading.head is not None or reading.trouble not in REPAIRABLE:
        return None
    if not known:
        raise NeedsPerson(
            f"env/{ctx.environment} is {reading.trouble} and the journal knows no commit of it",
            hint="look at it with: git --git-dir .slipway/origin.git log --all",
        )
    ctx.origin.restore_branch(ctx.environment, known)
    ctx.records.audit.append(
        actor=ctx.actor, action="restore branch", result="done",
        reason=f"the branch was {reading.trouble}: {reading.detail}", details={"commit": known},
    )  # fmt: skip
    ctx.wake()
    return str(known)
