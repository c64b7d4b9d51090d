"""The migrate step, and undoing it: the old release keeps serving on the schema of the new one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from pipelines.flows.context import Context
from pipelines.flows.run import Run, StepFailed
from pipelines.model.errors import NeedsPerson, Refused
from pipelines.model.release import Release

_MIGRATING = "migrating"
_PROBES = 20


def migrate_step(run: Run) -> str:
    status = run.migrations()
    begun = run.recall(_MIGRATING)
    if not isinstance(begun, dict):
        if not status.pending:
            return "skipped: no migration is pending"
        begun = {
            "revisions": list(status.pending),
            "before": status.applied[-1] if status.applied else "base",
            "complaints": [] if run.first else list(_complaints(run)),
        }
        run.remember(_MIGRATING, begun)
    run.effect("migrate.migrate", lambda: run.ctx.target.migrate(run.release, "expand"))
    left = run.ctx.target.migration_status(run.release).pending
    if left:
        run.ctx.target.migrate(run.release, "expand")
    words = f"{len(begun['revisions'])} applied"
    return words if run.first else f"{words}; {_old_code_on_new_schema(run, begun['complaints'])}"


def _old_code_on_new_schema(run: Run, before: Sequence[str]) -> str:
    """Requests through the live socket, and what the old release itself says of the database.

    What it complained of before the migrations, they are not to blame for.
    """
    probe = run.ctx.target.probe
    samples = probe(None, count=_PROBES, per_second=40.0)
    if samples.errors:  # twice: a single one may have met a restart
        samples = probe(None, count=_PROBES, per_second=40.0)
    problems = [f"{samples.errors} of {samples.count} requests"] if samples.errors else []
    problems += [words for name, words in _complaints(run).items() if name not in before]
    if problems:
        raise StepFailed(
            "migrate",
            f"the old release fails on the new schema: {'; '.join(problems)}. A migration must only "
            "expand; it is undone by its own script, and what it deleted is in the backup taken "
            f"before it: slipway restore {run.ctx.environment}",
        )
    return f"the old release answers {samples.count} of {samples.count} requests on it"


def _complaints(run: Run) -> dict[str, str]:
    """Failing checks of the active release, in words by name."""
    if run.former is None:
        return {}
    ctx = run.ctx
    former, limit = ctx.store.get(run.former), ctx.settings().verify_timeout_seconds
    checks = ctx.target.application_check(former, run.from_slot, "validate", [], limit)
    return {check.name: f"{check.name}: {check.message}" for check in checks if not check.ok}


def failed_migrating(ctx: Context, operation: str) -> bool:
    """It began to migrate, and the old release was not found well on the new schema."""
    known = ctx.records.journal.get(operation)
    if known is None or ctx.records.journal.recall(operation, _MIGRATING) is None:
        return False
    steps = {step.name: step.status for step in known.steps}
    return steps.get("migrate") != "done" and bool(known.from_slot)


def undo_migrations(ctx: Context, operation: str, release: Release) -> None:
    """By their own scripts; only the old release has run on them yet.

    Raises NeedsPerson when they are still there afterwards, Unavailable to be called again.
    """
    begun: dict[str, Any] = ctx.records.journal.recall(operation, _MIGRATING)
    revisions = begun["revisions"]
    try:
        ctx.target.undo_migrations(release, begun["before"])
        left = set(revisions) - set(ctx.target.migration_status(release).pending)
        problem = f"{', '.join(sorted(left))} still applied" if left else ""
    except Refused as error:
        problem = error.message
    if problem:
        raise NeedsPerson(
            f"the old release fails on {', '.join(revisions)}, and they are not undone: {problem}",
            hint=f"bring the database back: slipway restore {ctx.environment} --reason …",
        )
