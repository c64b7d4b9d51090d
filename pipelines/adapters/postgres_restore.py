"""Restore a base backup into a new folder on a new timeline, then swap folders by rename.

The new timeline is higher than every timeline this environment ever had: the fencing token is
(timeline, epoch), and it may never rewind. PostgreSQL picks the first timeline without a history
file, so history files for all earlier ones are put into the new folder before it starts.
"""

from __future__ import annotations

import contextlib
import re
import shutil
import time
from pathlib import Path

from pipelines.adapters.postgres_backup import folder_bytes, require_room, require_whole
from pipelines.adapters.postgres_server import Server, clean_environment, explain, postgres
from pipelines.adapters.process import run_limited
from pipelines.model.errors import Unavailable
from pipelines.targets.local.layout import Layout, write_atomically

SPARE_BYTES = 64 * 1024 * 1024
RECOVERY_SECONDS = 120
DONE = "restore-complete"  # in the new folder: recovery ended, only the swap is missing


def restore(layout: Layout, server: Server, name: str) -> None:
    """Everything that can fail happens beside the old folder; until the swap it stays what it was."""
    require_whole(layout.backups, name)
    source, fresh = layout.backups / name / "data", fresh_folder(layout)
    shutil.rmtree(fresh, ignore_errors=True)
    require_room(layout.root, folder_bytes(source) + SPARE_BYTES, "restore")
    highest = highest_timeline(layout)
    try:
        copy(source, fresh)
        fill_history(fresh / "pg_wal", layout.postgres_data / "pg_wal", highest)
        server.stop()
        timeline = recover(layout, fresh)
        if timeline <= highest:
            raise Unavailable(f"restore ended on timeline {timeline}, not beyond {highest}")
        write_atomically(layout.timeline_file, f"{timeline}\n")
        write_atomically(fresh / DONE, name + "\n")
    except BaseException:
        Server(fresh, layout.runtime, server.log).stop()
        shutil.rmtree(fresh, ignore_errors=True)
        server.start()
        raise
    drop_replaced(layout)
    layout.postgres_data.rename(replaced_folder(layout))
    finish_interrupted(layout)
    server.configure()
    server.start()


def finish_interrupted(layout: Layout) -> None:
    """Complete a swap that was cut in its middle; forget a restore that was cut before it."""
    fresh = fresh_folder(layout)
    if not fresh.exists():
        return
    if (fresh / DONE).exists() and not layout.postgres_data.exists():
        fresh.rename(layout.postgres_data)
        (layout.postgres_data / DONE).unlink(missing_ok=True)
    elif layout.postgres_data.exists():
        Server(fresh, layout.runtime, layout.logs / "postgres.log").stop()
        shutil.rmtree(fresh, ignore_errors=True)


def recover(layout: Layout, fresh: Path) -> int:
    """Replay the backup's own log, end on a new timeline, stop. Returns the timeline."""
    server = Server(fresh, layout.runtime, layout.logs / "postgres.log")
    server.configure(recovery=True)
    (fresh / "recovery.signal").touch(mode=0o600)
    server.start(seconds=RECOVERY_SECONDS)
    server.stop()
    server.configure()
    return control_timeline(fresh)


def copy(source: Path, fresh: Path) -> None:
    try:
        shutil.copytree(source, fresh, symlinks=True)
        fresh.chmod(0o700)
    except (OSError, shutil.Error) as error:
        raise explain("restore", 1, str(error)) from None


def highest_timeline(layout: Layout) -> int:
    """Of the running folder, its history files, and what was noted after earlier restores."""
    known = [1]
    with contextlib.suppress(OSError, ValueError):
        known.append(int(layout.timeline_file.read_text()))
    wal = layout.postgres_data / "pg_wal"
    known += [int(path.stem, 16) for path in wal.glob("*.history")]
    # A folder too damaged to tell is perhaps why it is restored.
    with contextlib.suppress(Unavailable):
        known.append(control_timeline(layout.postgres_data))
    return max(known)


def fill_history(wal: Path, old_wal: Path, highest: int) -> None:
    for timeline in range(2, highest + 1):
        name = f"{timeline:08X}.history"
        if (wal / name).exists():
            continue
        if (old_wal / name).exists():
            shutil.copyfile(old_wal / name, wal / name)
        else:
            (wal / name).write_text("1\t0/0\tused before a restore\n")


def control_timeline(data: Path) -> int:
    code, output, errors = run_limited(
        postgres("pg_controldata", str(data)), clean_environment(), 10
    )
    found = re.search(r"^Latest checkpoint's TimeLineID:\s+(\d+)$", output, re.MULTILINE)
    if code != 0 or found is None:
        raise explain("reading the database's control file", code, errors + output)
    return int(found.group(1))


def fresh_folder(layout: Layout) -> Path:
    return layout.postgres_data.with_name("postgres.restoring")


def replaced_folder(layout: Layout) -> Path:
    return layout.postgres_data.with_name(f"postgres.replaced-{int(time.time())}")


def drop_replaced(layout: Layout) -> None:
    """Only the newest replaced folder is kept."""
    for path in layout.root.glob("postgres.replaced-*"):
        shutil.rmtree(path, ignore_errors=True)
