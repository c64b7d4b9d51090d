"""Base backups: taken, verified, listed, pruned. What does not verify does not exist."""

from __future__ import annotations

import json
import re
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pipelines.adapters.postgres_server import clean_environment, explain, postgres
from pipelines.adapters.postgres_verify import verify
from pipelines.adapters.process import run_limited
from pipelines.model.errors import NeedsPerson, Unavailable
from pipelines.model.live import BackupInfo
from pipelines.targets.local.layout import Layout, write_atomically

TAKE_SECONDS = 240.0
KEEP_DAYS, KEEP_AT_LEAST = 7, 3
SPARE_BYTES = 32 * 1024 * 1024


def take(layout: Layout, reason: str) -> BackupInfo:
    """A whole copy of the database with the write-ahead log it needs, checked file by file."""
    drop_partial(layout.backups)
    need = folder_bytes(layout.postgres_data) + SPARE_BYTES
    require_room(layout.backups, need, "backup")
    now = datetime.now(UTC)
    slug = re.sub(r"[^a-z0-9]+", "-", reason.lower()).strip("-")[:40] or "backup"
    name = f"{now:%Y%m%dT%H%M%S}{now.microsecond // 1000:03d}Z-{slug}"
    partial = layout.backups / f".partial-{name}"
    try:
        partial.mkdir(mode=0o700)
        code, output, errors = run_limited(
            postgres(
                "pg_basebackup",
                "-D",
                str(partial / "data"),
                "-h",
                str(layout.runtime),
                "-U",
                "slipway",
                "-X",
                "stream",
                "--no-slot",
                "-c",
                "fast",
                "-w",
                "--manifest-checksums=SHA256",
            ),
            clean_environment(layout.admin_passfile),
            TAKE_SECONDS,
        )
        if code != 0:
            raise explain("backup", code, errors + output)
        problem = verify(partial / "data")
        if problem:
            raise Unavailable(f"backup does not verify: {problem}", hint="try again")
        info = BackupInfo(
            name=name,
            taken_at=now.isoformat(timespec="seconds"),
            bytes=folder_bytes(partial / "data"),
            reason=reason,
        )
        write_atomically(partial / "backup.json", manifest(info, partial / "data"))
        partial.rename(layout.backups / name)
    except OSError as error:
        raise explain("backup", 1, error.strerror or str(error)) from None
    finally:
        shutil.rmtree(partial, ignore_errors=True)
    prune(layout.backups, now)
    return info


def manifest(info: BackupInfo, data: Path) -> str:
    facts = {
        "name": info.name,
        "taken_at": info.taken_at,
        "bytes": info.bytes,
        "reason": info.reason,
        "files": sum(1 for path in data.rglob("*") if path.is_file()),
        "version": (data / "PG_VERSION").read_text().strip(),
    }
    return json.dumps(facts, indent=1) + "\n"


def all_backups(folder: Path) -> list[BackupInfo]:
    """Oldest first. A folder without a manifest is not a backup."""
    found = []
    for path in sorted(folder.glob("[0-9A-Za-z]*/backup.json")):
        try:
            facts = json.loads(path.read_text())
            found.append(
                BackupInfo(
                    path.parent.name, facts["taken_at"], int(facts["bytes"]), facts["reason"]
                )
            )
        except (OSError, ValueError, KeyError):
            continue
    return sorted(found, key=lambda info: (info.taken_at, info.name))


def prune(folder: Path, now: datetime) -> None:
    """Older than a week goes, but the newest three stay however old they are."""
    for info in all_backups(folder)[:-KEEP_AT_LEAST]:
        if now - datetime.fromisoformat(info.taken_at) > timedelta(days=KEEP_DAYS):
            shutil.rmtree(folder / info.name, ignore_errors=True)


def drop_partial(folder: Path) -> None:
    for path in folder.glob(".partial-*"):
        shutil.rmtree(path, ignore_errors=True)


def folder_bytes(folder: Path) -> int:
    """Files may vanish while counting: the server works in there."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_size
        except OSError:
            continue
    return total


def require_room(folder: Path, need: int, action: str) -> None:
    free = shutil.disk_usage(folder).free
    if free < need:
        raise Unavailable(
            f"{action}: the disk is full ({free // 2**20} MB free, {need // 2**20} MB needed)",
            hint=f"free some space below {folder} and try again",
        )


def require_whole(folder: Path, name: str) -> None:
    problem = verify(folder / name / "data")
    if problem:
        raise NeedsPerson(
            f"backup {name} is damaged: {problem}", hint="choose another: slipway backup --list"
        )
