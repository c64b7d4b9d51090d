"""A snapshot of advisories is read whole or refused."""

from __future__ import annotations

import gzip
import time
from pathlib import Path

import pytest

from pipelines.adapters.advisory_snapshot import installed_snapshot, read_snapshot
from pipelines.model.errors import BadInput
from pipelines.stages.security.affected import affects
from pipelines.stages.security.lock_file import find_locks, read_lock
from tests.support.security_change import record, snapshot

ROOT = Path(__file__).resolve().parents[3]
REAL = ROOT.parent / "shared" / "data" / "advisory-database-pypa-2026-07-23.tgz"


def test_a_package_is_found_under_any_spelling(tmp_path: Path) -> None:
    file = snapshot(tmp_path / "a.tgz", [record(package="Other_Thing.x")])
    found = read_snapshot(file, ["other-thing-x"])
    assert [a.package for a in found.advisories] == ["other-thing-x"]
    assert (found.records, found.modified) == (2, "2026-06-20T10:00:00+00:00")


def test_a_record_is_found_whatever_folder_it_lies_in(tmp_path: Path) -> None:
    both = record(package="first")
    both["affected"] += record(package="second")["affected"]
    assert len(read_snapshot(snapshot(tmp_path / "a.tgz", [both]), ["second"]).advisories) == 1


def test_versions_stay_text(tmp_path: Path) -> None:
    file = snapshot(tmp_path / "a.tgz", [record(ranges=[], versions=["4.10"])])
    plain = gzip.decompress(file.read_bytes()).replace(b"'4.10'", b"4.10  ")
    file.write_bytes(gzip.compress(plain))
    assert read_snapshot(file, ["example"]).advisories[0].versions == ("4.10",)


def test_withdrawn_and_aliases_are_read(tmp_path: Path) -> None:
    records = [record(aliases=["CVE-2026-1"], withdrawn="2026-06-21T00:00:00Z")]
    found = read_snapshot(snapshot(tmp_path / "a.tgz", records), ["example"]).advisories[0]
    assert found.withdrawn
    assert found.aliases == ("CVE-2026-1",)


def test_the_file_s_own_date_says_nothing(tmp_path: Path) -> None:
    file = snapshot(tmp_path / "a.tgz", [], modified="2020-01-01")
    assert read_snapshot(file, []).modified.startswith("2020-01-01")


def test_a_mistyped_year_does_not_make_a_snapshot_younger(tmp_path: Path) -> None:
    records = [record(f"PYSEC-2026-{n}") for n in range(1000)]
    records.append(record("PYSEC-2026-5000", modified="2027-06-20T10:00:00Z"))
    found = read_snapshot(snapshot(tmp_path / "a.tgz", records), [])
    assert found.modified == "2026-06-20T10:00:00+00:00"
    assert found.set_aside == 1


def damaged(file: Path) -> dict[str, bytes]:
    whole = file.read_bytes()
    return {
        "cut off": whole[: len(whole) // 2],
        "a changed byte": whole[:60] + bytes([whole[60] ^ 0xFF]) + whole[61:],
        "not packed": b"id: PYSEC-2026-1\n",
        "an archive of nothing": gzip.compress(b"\0" * 10240),
        "empty": b"",
    }


@pytest.mark.parametrize(
    "how", ["cut off", "a changed byte", "not packed", "an archive of nothing", "empty"]
)
def test_a_damaged_snapshot_is_refused(tmp_path: Path, how: str) -> None:
    file = snapshot(tmp_path / "a.tgz", [record()])
    file.write_bytes(damaged(file)[how])
    with pytest.raises(BadInput, match=r"a\.tgz"):
        read_snapshot(file, ["example"])


def test_a_missing_snapshot_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="nowhere"):
        read_snapshot(tmp_path / "nowhere.tgz", [])


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        pytest.param(b"id: PYSEC-2026-1", b"ix: PYSEC-2026-1", id="no id"),
        pytest.param(b"ecosystem: PyPI", b"ecosystxm: PyPI", id="no ecosystem"),
        pytest.param(b"details: A hole.", b"details: [A hole", id="no YAML"),
        pytest.param(b"type: ECOSYSTEM", b"tipe: ECOSYSTEM", id="a range of no kind"),
        pytest.param(b"fixed: 1.2.1", b"fixed: [1.2]", id="a version that is a list"),
    ],
)
def test_a_record_about_our_package_that_cannot_be_understood_is_not_skipped(
    tmp_path: Path, right: bytes, wrong: bytes
) -> None:
    file = snapshot(tmp_path / "a.tgz", [record()])
    before, found, after = gzip.decompress(file.read_bytes()).rpartition(right)
    assert found
    file.write_bytes(gzip.compress(before + wrong + after))
    with pytest.raises(BadInput, match="cannot be understood"):
        read_snapshot(file, ["example"])


def test_an_installation_keeps_the_newest_of_its_snapshots(tmp_path: Path) -> None:
    assert installed_snapshot(tmp_path) is None
    (tmp_path / "advisories").mkdir()
    old = snapshot(tmp_path / "advisories" / "z.tgz", [], modified="2026-01-01")
    assert installed_snapshot(tmp_path) == old
    new = snapshot(tmp_path / "advisories" / "a.tgz", [], modified="2026-05-01")
    assert installed_snapshot(tmp_path) == new


needs_the_real_one = pytest.mark.skipif(not REAL.exists(), reason="the snapshot is not committed")


@needs_the_real_one
def test_the_real_snapshot_is_read_quickly_and_is_as_old_as_it_says() -> None:
    begun = time.process_time()
    found = read_snapshot(REAL, ["Django", "jw-util"])
    assert time.process_time() - begun < 3
    assert found.records == 7080
    assert found.modified.startswith("2026-07-23")
    assert found.set_aside == 2
    holes = {a.id for a in found.advisories if affects(a, "5.0.1")}
    assert "PYSEC-2024-69" in holes
    assert {"django", "jw-util"} == {a.package for a in found.advisories}


@needs_the_real_one
def test_the_real_snapshot_knows_nothing_against_our_pins() -> None:
    locks, _ = find_locks(ROOT)
    pins = [p for lock in locks for p in read_lock(lock, (ROOT / lock).read_text())[0]]
    found = read_snapshot(REAL, {pin.name for pin in pins})
    assert len(pins) > 100
    assert found.advisories
    assert [
        (pin, a.id)
        for pin in pins
        for a in found.advisories
        if a.package == pin.name and affects(a, pin.version) is not False
    ] == []
