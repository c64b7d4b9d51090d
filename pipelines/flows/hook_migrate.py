"""The hooks `backup` and `migrate`. The application migrates in a container of its own, of its own
image; the engine decides before it and judges after it."""

from __future__ import annotations

from pathlib import Path

from pipelines.engine.admission import Admission
from pipelines.flows.hook_desk import Desk, Told
from pipelines.flows.run import StepFailed
from pipelines.model.errors import SlipwayError
from pipelines.model.live import MigrationStatus
from pipelines.targets.answers import last_words, migration_status_of
from pipelines.targets.local.ports import CommandResult

NO_BACKUP = "none"
PROBES = 20


def backup_hook(desk: Desk, found: Admission) -> Told:
    if desk.files.skipped():
        return "skipped: its once-key is recorded", {}
    status = desk.ctx.target.migration_status(desk.delivery.release)
    if not status.pending:
        return _once(desk, found, "skipped: no migration is pending")
    if found.former is None:
        return _once(desk, found, "skipped: the database is new")
    pending = ", ".join(status.pending)
    if desk.backups == NO_BACKUP:
        return _once(
            desk, found, f"skipped: {desk.ctx.environment} has no backups, as its values say"
        )
    if not desk.backups or not Path(desk.backups).is_dir():
        raise StepFailed(
            "backup",
            f"{pending} would run without a backup: name a volume in hooks.backup.claim of"
            f" environments/{desk.ctx.environment}/values.yaml, or write hooks.backup.none: true there",
        )
    taken = desk.ctx.target.backup(f"before {pending} of {desk.delivery.release.id}")
    return _once(desk, found, f"{taken.name} taken and verified, {taken.bytes:,} bytes")


def judge(desk: Desk, found: Admission) -> str:
    """After the application migrated: shall it be undone by its own script?"""
    before, up = _status(desk, "status"), desk.files.answered("up")
    if before is None or up is None or found.former is None:
        return "nothing to judge"
    problem = _old_release_fails(desk) if up.code == 0 else "it failed"
    if not problem:
        return "the release before answers on the new schema"
    desk.files.undo_to(before.applied[-1] if before.applied else "base")
    return f"to be undone: {problem}"


def migrate_hook(desk: Desk, found: Admission) -> Told:
    if desk.files.skipped():
        return "skipped: its once-key is recorded", {}
    before, up = _status(desk, "status"), desk.files.answered("up")
    if before is None or not before.pending:
        return _once(desk, found, "skipped: no migration is pending")
    undo = desk.files.undone_to()
    if undo:
        raise StepFailed("migrate", _undone(desk, undo, up))
    if up is None or up.code != 0:
        raise StepFailed("migrate", f"migrations failed: {last_words(up) if up else 'not run'}")
    left = desk.ctx.target.migration_status(desk.delivery.release).pending
    if left:
        raise StepFailed("migrate", f"{', '.join(left)} are still pending")
    return _once(desk, found, f"{len(before.pending)} applied")


def _undone(desk: Desk, undo: str, up: CommandResult | None) -> str:
    if up is None or up.code != 0:
        words = f"migrations failed: {last_words(up) if up else 'not run'}"
    else:
        words = "the old release fails on the new schema; a migration must only expand"
    down = desk.files.answered("down")
    if down is None or down.code != 0:
        why = last_words(down) if down else "not run"
        return (
            f"{words}; and they are NOT undone down to {undo}: {why}; bring the database back from"
            " the backup taken before"
        )
    return f"{words}; they are undone down to {undo}"


def _old_release_fails(desk: Desk) -> str:
    """Requests through the active Service. Twice: a single one may have met a restart."""
    probe = desk.ctx.target.probe
    try:
        samples = probe(None, count=PROBES, per_second=40.0)
        if samples.errors:
            samples = probe(None, count=PROBES, per_second=40.0)
    except SlipwayError as error:
        return error.message
    return f"{samples.errors} of {samples.count} requests failed" if samples.errors else ""


def _status(desk: Desk, name: str) -> MigrationStatus | None:
    found = desk.files.answered(name)
    return migration_status_of(found) if found is not None else None


def _once(desk: Desk, found: Admission, words: str) -> Told:
    if desk.once_key:
        desk.records.record_once(desk.once_key, found.operation)
    return words, {}
