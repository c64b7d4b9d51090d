"""Steps before the switch: guard, backup, stage, verify. The migrate step is in `migrating`."""

from __future__ import annotations

from pipelines.engine.guard import guard
from pipelines.flows.earning import earned
from pipelines.flows.run import Run, demand
from pipelines.model.live import Check, Health, SlotLive
from pipelines.model.release import Release


def guard_step(run: Run) -> str:
    """Asked again here, not only by the command: git may have been written by another road.

    Settings that cannot be read are a reason to refuse here: found after the switch, they would have a
    good release held.
    """
    run.ctx.settings()
    migrations = run.migrations()
    checks = guard(
        run.head.state,
        run.release,
        freeze=run.ctx.records.freeze.state(),
        migrations=migrations,
        earned=earned(run.ctx, run.head.state, run.release, first=run.first, migrations=migrations),
    )
    return demand("guard", checks)


def backup_step(run: Run) -> str:
    status = run.migrations()
    if not status.pending:
        return "skipped: no migration is pending"
    if run.first:
        return "skipped: the database is new"
    key = f"backup:{run.operation.id}:{','.join(status.pending)}"
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


def stage_step(run: Run) -> str:
    target = run.ctx.target
    target.set_traffic(run.to, live=False)
    run.effect("stage.stage", lambda: _stage_afresh(run))
    if target.observe_slot(run.to).release != run.release.id:
        target.stage(run.to, run.release)
    return f"{run.release.id} started in {run.to}"


def _stage_afresh(run: Run) -> None:
    """A warm release is taken as it runs, unless it hangs: that is killed and started again."""
    target, live = run.ctx.target, run.ctx.target.observe_slot(run.to)
    if live.release == run.release.id and live.health is not Health.HEALTHY:
        target.stop_slot(run.to, kill=True)
    target.stage(run.to, run.release)


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
        _capacity(run, live),
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


def _capacity(run: Run, live: SlotLive) -> Check:
    if run.former is None:
        return Check("capacity", True, "nothing was active before")
    active = run.ctx.target.observe_slot(run.from_slot)
    return capacity_check(live, run.release, active, run.ctx.store.get(run.former))


def capacity_check(new: SlotLive, release: Release, old: SlotLive, former: Release) -> Check:
    """At least as many processes ready to answer live requests as answer them now."""
    ready, needed = _answering(new, release), _answering(old, former)
    return Check("capacity", ready >= needed, f"{ready} ready, {needed} in the active slot", ready)


def _answering(live: SlotLive, release: Release) -> int:
    names = {spec.name for spec in release.application.processes if "live" in spec.sockets}
    return sum(p.instances for p in live.processes if p.ready and p.name in names)


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
