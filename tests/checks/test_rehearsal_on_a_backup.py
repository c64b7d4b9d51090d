"""A rehearsal on the target's newest backup, taken from a real environment's database."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from pipelines.adapters.check_environments import CheckEnvironments
from pipelines.adapters.postgres import LocalPostgres
from pipelines.adapters.rehearsal_database import LocalRehearsals, newest_backup
from pipelines.adapters.rows import PostgresRows
from pipelines.model.check import BROKEN, PASSED, UNTOUCHED
from pipelines.model.live import Handover
from pipelines.model.slots import Slot
from pipelines.stages.rehearsal_protocol import BackupCopy
from pipelines.targets.local.layout import Installation, Layout
from tests.support.rehearsing import INDEX, NOTE, ROOT, Bench, rules_of, words_of

ROWS = 20_000


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    folder = tmp_path_factory.mktemp("backup")
    for above in (folder, *folder.parents[:3]):
        if above.stat().st_uid == os.getuid() and above != Path("/tmp"):
            above.chmod(0o755)
    yield folder
    shutil.rmtree(folder / "state", ignore_errors=True)


@pytest.fixture(scope="module")
def environments(place: Path) -> CheckEnvironments:
    return CheckEnvironments(place / "venvs", ROOT / "requirements-check.lock")


@pytest.fixture(scope="module")
def state(place: Path, environments: CheckEnvironments) -> Path:
    """An installation with backups of staging (nearly empty) and production (with rows)."""
    made = Installation.create(place / "state", ROOT, 21_000)
    made.ensure_runtime()
    python = environments.python(ROOT / "app/requirements.lock")
    try:
        for environment, rows in (("staging", 0), ("production", ROWS)):
            _take(made.layout(environment), python, rows)
    finally:
        shutil.rmtree(made.runtime, ignore_errors=True)
    return made.state


def _take(layout: Layout, python: Path, rows: int) -> None:
    """A database as an environment has it, with a release active in it; backed up and stopped."""
    server = LocalPostgres(layout)
    server.ensure()
    try:
        database = PostgresRows(layout)
        database.apply_schema()
        _trading(layout, python, "migrate", "up")
        if rows:
            _trading(layout, python, "populate", "--rows", str(rows))
        database.switch(
            Handover(
                *(Slot.BLUE, "r-1", "o-1", "c", 1, 0), confirm_by=None, published=True, reason=""
            )
        )
        database.close()
        server.backup("test")
    finally:
        server.stop()


def _trading(layout: Layout, python: Path, *words: str) -> None:
    variables = {
        "PATH": os.defpath,
        "PYTHONPATH": str(ROOT / "app"),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    subprocess.run(
        [python, "-m", "trading", *words],
        env={**variables, "SLIPWAY_DATABASE_URL": layout.database_url},
        cwd="/",
        check=True,
        capture_output=True,
        timeout=120,
    )


@pytest.fixture
def bench(tmp_path: Path, place: Path, state: Path, environments: CheckEnvironments) -> Bench:
    return Bench(tmp_path, environments, LocalRehearsals(state, place / "cache"))


def test_production_s_newest_backup_is_taken_before_staging_s(state: Path) -> None:
    found = newest_backup(state)
    assert found is not None
    assert found.environment == "production"
    assert datetime.now(UTC).strftime("%Y%m") in found.name


def test_a_new_migration_is_rehearsed_on_the_rows_of_the_backup(bench: Bench, state: Path) -> None:
    backup = newest_backup(state)
    result = bench.judge(bench.change({NOTE.file: str(NOTE)}), backup)
    assert (result.status, words_of(result)) == (PASSED, "")
    said = result.document["rehearsal"]
    assert (said["data"], said["backup"]) == ("backup", str(backup))
    assert said["migrations"] == ["r0003"]
    assert said["rows"] > ROWS
    assert result.observed["requests"]["writes"] > 0
    assert "Rehearsed on backup `production/" in result.markdown


def test_what_is_merged_and_not_in_the_backup_is_rehearsed_with_it(
    bench: Bench, state: Path
) -> None:
    """A promotion will apply both, so the statement names both."""
    change = bench.change({INDEX.file: str(INDEX)}, base={NOTE.file: str(NOTE)})
    result = bench.judge(change, newest_backup(state))
    assert (result.status, words_of(result)) == (PASSED, "")
    assert result.document["rehearsal"]["migrations"] == ["r0003", "r0004"]
    assert any(step["what"] == "down to r0002" for step in result.observed["steps"])


def test_asked_for_everything_it_rehearses_what_the_backup_lacks(bench: Bench, state: Path) -> None:
    change = bench.change({}, base={NOTE.file: str(NOTE)}, everything=True)
    result = bench.judge(change, newest_backup(state))
    assert (result.status, rules_of(result)) == (PASSED, set())
    assert result.document["rehearsal"]["migrations"] == ["r0003"]


def test_asked_for_everything_where_nothing_lacks_there_is_nothing_to_say(
    bench: Bench, state: Path
) -> None:
    result = bench.judge(bench.change({}, everything=True), newest_backup(state))
    assert (result.status, result.summary) == (PASSED, "2 scripts linted, nothing to rehearse")
    assert "rehearsal" not in result.document


def test_a_release_with_what_waits_in_the_backup_is_rehearsed_whatever_changed(
    bench: Bench, state: Path
) -> None:
    """The migration was merged by an earlier change; this one only changes a value."""
    values = "environments/dev/values.yaml"
    other = (ROOT / values).read_text() + "# other\n"
    change = bench.change({values: other}, base={NOTE.file: str(NOTE)})
    result = bench.judge(change, newest_backup(state))
    assert (result.status, rules_of(result)) == (PASSED, set())
    assert result.document["rehearsal"]["migrations"] == ["r0003"]


def test_a_backup_that_lacks_nothing_is_restored_once_to_know_it(
    bench: Bench, state: Path, place: Path
) -> None:
    rehearsals = LocalRehearsals(state, place / "fresh-cache")
    bench.rehearsals = rehearsals
    backup = newest_backup(state)
    assert backup is not None
    change = bench.change({"app/README.md": "other"})
    assert rehearsals.recall(backup) is None
    assert bench.judge(change, backup).status == UNTOUCHED
    assert rehearsals.recall(backup) == ("r0001", "r0002")
    copies = len(bench.said)
    assert bench.judge(change, backup).status == UNTOUCHED
    assert len(bench.said) == copies


def test_a_damaged_backup_is_no_evidence(bench: Bench, state: Path, tmp_path: Path) -> None:
    copy = tmp_path / "state"
    shutil.copytree(state, copy, symlinks=True, ignore=shutil.ignore_patterns("*.sock", "postgres"))
    backup = newest_backup(copy)
    assert backup is not None
    data = copy / "environments/production/backups" / backup.name / "data"
    with (data / "base/1/1259").open("r+b") as file:
        file.seek(100)
        file.write(b"\xff" * 100)
    bench.rehearsals = LocalRehearsals(copy, tmp_path / "cache")
    result = bench.judge(bench.change({NOTE.file: str(NOTE)}), backup)
    assert result.status == BROKEN
    assert f"backup {backup.name} is damaged" in result.summary


def test_a_backup_that_is_gone_is_told(bench: Bench) -> None:
    result = bench.judge(
        bench.change({NOTE.file: str(NOTE)}), BackupCopy("production", "20200101T000000000Z-gone")
    )
    assert result.status == BROKEN
    assert "20200101T000000000Z-gone" in words_of(result)
