"""Steps before the switch: guard, backup, migrate, stage, verify."""

from __future__ import annotations

from typing import Any, cast

from pipelines.engine.guard import guard
from pipelines.flows.run import Run, StepFailed, demand
from pipelines.model.live import Check, Health, MigrationStatus, SlotLive


def guard_step(run: Run) -> str:
    """Asked again here, not only by the command: git may have been written by another road."""
    checks = guard(
        run.head.state,
        run.release,
        freeze=run.ctx.records.freeze.state(),
        migrations=run.migrations(),
    )
    return demand("guard", checks)


def _once(run: Run, kind: str, status: MigrationStatus) -> str:
    return f"{kind}:{','.join(status.pending)}"


def backup_step(run: Run) -> str:
    status = run.migrations()
    if not status.pending:
        return "skipped: no migration is pending"
    if run.first:
        return "skipped: the database is new"
    key = _once(run, f"backup:{run.operation.id}", status)
    if run.ctx.records.journal.once(key):
        return "skipped: taken before"
    taken: list[str] = []
    run.effect(
        "backup.backup",
        lambda: taken.append(
            run.ctx.target.backup(f"before {', '.join(status.pending)} of {run.release.id}").name
        ),
    )
    run.ctx.records.journal.record_once(key)
    return f"{taken[0] if taken else 'backup'} taken and verified"


def migrate_step(run: Run) -> str:
    status = run.migrations()
    if run.recall("migrating") is None:
        if not status.pending:
            return "skipped: no migration is pending"
        before = status.applied[-1] if status.applied else "base"
        run.remember("migrating", {"revisions": list(status.pending), "before": before})
    run.effect("migrate.migrate", lambda: run.ctx.target.migrate(run.release, "expand"))
    left = run.ctx.target.migration_status(run.release).pending
    if left:
        run.ctx.target.migrate(run.release, "expand")
    words = f"{len(cast(dict[str, Any], run.recall('migrating'))['revisions'])} applied"
    return words if run.first else f"{words}; {_old_code_on_new_schema(run)}"


def _old_code_on_new_schema(run: Run) -> str:
    """Requests through the live socket, and what the old release itself says of the database."""
    ctx = run.ctx
    samples = ctx.target.probe(None, count=20, per_second=40.0)
    problems = [f"{samples.errors} of {samples.count} requests"] if samples.errors else []
    former = ctx.store.get(cast(str, run.former))
    limit = ctx.settings().verify_timeout_seconds
    checks = ctx.target.application_check(former, run.from_slot, "validate", [], limit)
    problems += [f"{check.name}: {check.message}" for check in checks if not check.ok]
    if problems:
        run.remember("breaks_old", True)
        raise StepFailed(
            "migrate",
            f"the old release fails on the new schema: {'; '.join(problems)}. A migration must only "
            "expand; it is undone by its own script, and what it deleted is in the backup taken "
            f"before it: slipway restore {ctx.environment}",
        )
    return (
        f"the old release answers {samples.count} of {samples.count} requests on it and validates"
    )


def stage_step(run: Run) -> str:
    target = run.ctx.target
    target.set_traffic(run.to, live=False)
    run.effect("stage.stage", lambda: target.stage(run.to, run.release))
    if target.observe_slot(run.to).release != run.release.id:
        target.stage(run.to, run.release)
    return f"{run.release.id} started in {run.to}"


def verify_step(run: Run) -> str:
    checks = [*_wait_ready(run), *_application_checks(run)]
    run.remember("verify", [[c.name, c.ok, c.message, c.samples] for c in checks])
    run.effect("verify.verdict", lambda: None)
    return demand("verify", checks)


def _wait_ready(run: Run) -> list[Check]:
    ctx = run.ctx
    limit = ctx.settings().ready_timeout_seconds
    deadline = ctx.monotonic() + limit
    while True:
        live = ctx.target.observe_slot(run.to)
        ready = [p for p in live.processes if p.ready and p.health is Health.HEALTHY]
        if live.processes and len(ready) == len(run.release.application.processes):
            break
        if ctx.monotonic() > deadline:
            return [Check("ready", False, _not_ready(run, live, limit))]
        ctx.records.lock.check(run.token)
        ctx.sleep(0.1)
    return [
        Check("ready", True, f"{len(ready)} processes ready", len(ready)),
        version_check(run, live),
        _not_less_than_active(run, len(ready)),
    ]


def _not_ready(run: Run, live: SlotLive, limit: float) -> str:
    words = "; ".join(f"{p.name}: {p.message or p.health}" for p in live.processes if not p.ready)
    return (
        f"not ready in {limit:g} s: {words or live.message or 'no process answers'}; "
        f"look at: slipway logs {run.ctx.environment} --slot {run.to}"
    )


def version_check(run: Run, live: SlotLive) -> Check:
    """Every process must run this very code: one on old code is how money was lost before."""
    wrong = [
        f"process {p.name} (pid {p.pid}) runs release {p.release or '?'} with code "
        f"{p.artifact[:19]}, not {run.release.artifact[:19]}"
        for p in live.processes
        if p.release != run.release.id or p.artifact != run.release.artifact
    ]
    return Check(
        "version",
        not wrong,
        "; ".join(wrong) or "every process runs the release's code",
        len(live.processes),
    )


def _not_less_than_active(run: Run, ready: int) -> Check:
    if run.first:
        return Check("capacity", True, "nothing was active before")
    active = run.ctx.target.observe_slot(run.from_slot)
    needed = sum(1 for p in active.processes if p.ready)
    fewer_roles = needed - len(run.release.application.processes)
    enough = ready >= needed or fewer_roles > 0
    return Check("capacity", enough, f"{ready} ready, {needed} in the active slot", ready)


def _application_checks(run: Run) -> list[Check]:
    """One after the other: together they would take every core of a small machine from the active
    slot, and its users would notice each promotion."""
    settings = run.ctx.settings()
    commands: list[tuple[str, list[str]]] = [("validate", []), ("reconcile", [])]
    if not run.first:
        commands.append(("shadow", ["--bars", str(settings.shadow_bars)]))
    return [
        check
        for command, arguments in commands
        for check in run.ctx.target.application_check(
            run.release, run.to, command, arguments, settings.verify_timeout_seconds
        )
    ]
