"""Backups that verify, damage that is found, restores that never rewind."""

from __future__ import annotations

import random
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from pipelines.adapters import postgres_backup, postgres_verify
from pipelines.adapters.postgres_restore import control_timeline
from pipelines.model.errors import BadInput, NeedsPerson, Refused, Unavailable
from pipelines.model.live import Handover
from pipelines.model.release import Release
from pipelines.model.slots import Slot
from pipelines.targets.local.target import LocalTarget
from tests.harness.missing import missing
from tests.target_suite.waiting import staged

pytestmark = pytest.mark.local_only  # supervisor, sockets and base backups


def switch(target: LocalTarget, release: Release, operation: str) -> None:
    row = target.read_row().row
    epoch, token = (row.epoch, row.token) if row else (0, 1)
    target.handover(
        release,
        Handover(Slot.BLUE, release.id, operation, "c", token, epoch, None, True, ""),
    )


def damaged(target: LocalTarget, name: str, path: str, position: int) -> str:
    """A copy of a backup with one byte flipped; its name."""
    copy = f"{name}-damaged"
    shutil.copytree(target.layout.backups / name, target.layout.backups / copy)
    file = target.layout.backups / copy / "data" / path
    content = bytearray(file.read_bytes())
    content[position % len(content)] ^= 0x01
    file.write_bytes(bytes(content))
    return copy


def test_a_backup_is_listed_with_its_size_and_reason(target: LocalTarget) -> None:
    info = target.backup("before migration r0002")
    assert info in target.list_backups()
    assert info.bytes > 1_000_000
    assert info.reason == "before migration r0002"
    assert not list(target.layout.backups.glob(".partial*"))


def test_one_flipped_byte_anywhere_is_found(target: LocalTarget) -> None:
    info = target.backup("to be damaged")
    data = target.layout.backups / info.name / "data"
    everything = [p for p in data.rglob("*") if p.is_file() and p.stat().st_size]
    files = [p for p in everything if p.parent.name != "pg_wal"]
    chosen = [*random.Random(7).sample(files, 12), data / "backup_manifest", data / "PG_VERSION"]
    assert postgres_verify.verify(data) == ""
    for file in chosen:
        position = random.Random(str(file)).randrange(file.stat().st_size)
        copy = damaged(target, info.name, str(file.relative_to(data)), position)
        try:
            ignored = file.name == "postgresql.auto.conf"
            assert ignored or postgres_verify.verify(target.layout.backups / copy / "data")
        finally:
            shutil.rmtree(target.layout.backups / copy)


def test_a_backup_with_a_missing_a_strange_or_no_file_does_not_verify(
    target: LocalTarget, folder: Path
) -> None:
    info = target.backup("to lose files")
    source = target.layout.backups / info.name / "data"
    changes: tuple[Callable[[Path], object], ...] = (
        lambda data: (data / "global" / "pg_control").unlink(),
        lambda data: (data / "global" / "strange").write_text("x"),
        lambda data: (data / "backup_manifest").unlink(),
        lambda data: shutil.rmtree(data / "pg_wal"),
    )
    for number, change in enumerate(changes):
        copy = folder / str(number)
        shutil.copytree(source, copy)
        change(copy)
        assert postgres_verify.verify(copy)


def test_a_restore_brings_the_row_back_on_a_timeline_never_used_before(
    target: LocalTarget, first: Release
) -> None:
    switch(target, first, "before the backup")
    info = target.backup("restore me")
    kept = target.read_row().row
    timelines = [control_timeline(target.layout.postgres_data)]
    for number in range(2):
        switch(target, first, f"after the backup {number}")
        assert target.read_row().row != kept
        target.restore(info.name)
        assert target.read_row().row == kept
        timelines.append(control_timeline(target.layout.postgres_data))
    assert timelines == sorted(set(timelines)), "each restore has a higher timeline"


def test_a_damaged_backup_is_not_restored_and_the_database_stays(
    target: LocalTarget, first: Release
) -> None:
    info = target.backup("good")
    switch(target, first, "newer than the backup")
    row = target.read_row().row
    copy = damaged(target, info.name, "global/pg_control", 100)
    with pytest.raises(NeedsPerson, match=r"damaged.*pg_control"):
        target.restore(copy)
    assert target.read_row().row == row


def test_a_restore_is_refused_while_a_slot_runs_and_for_unknown_names(
    target: LocalTarget, first: Release
) -> None:
    info = target.backup("slot runs")
    for name in ("nothing", "../escape", ".partial-x", ""):
        with pytest.raises(BadInput, match="no backup"):
            target.restore(name)
    staged(target, Slot.BLUE, first)
    with pytest.raises(Refused, match="blue-web"):
        target.restore(info.name)


def test_a_full_disk_is_said_and_leaves_nothing_half_done(
    target: LocalTarget, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = target.list_backups()
    monkeypatch.setattr(postgres_backup, "SPARE_BYTES", 1 << 60)
    with pytest.raises(Unavailable, match="disk is full"):
        target.backup("no room")
    assert target.list_backups() == before
    assert not list(target.layout.backups.glob(".*"))


@pytest.fixture
def small_disk(target: LocalTarget) -> Iterator[Path]:
    """The backups' folder on a disk of 20 MB. Mounting needs root."""
    backups = target.layout.backups
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", str(backups)], capture_output=True
    )
    if mounted.returncode:
        missing("mounting needs root")
    try:
        yield backups
    finally:
        subprocess.run(["umount", str(backups)], check=True)


def test_a_disk_that_fills_up_in_the_middle_of_a_backup_leaves_nothing(
    target: LocalTarget, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(postgres_backup, "require_room", lambda *_: None)
    with pytest.raises(Unavailable, match="disk is full"):
        target.backup("no room")
    assert list(small_disk.iterdir()) == []
    assert not target.read_row().down
