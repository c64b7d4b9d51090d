"""Releases built by the real uv from a real commit: named by content, whole or not there."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines.adapters.release_index import one_at_a_time
from pipelines.adapters.release_store import LocalReleaseStore
from pipelines.adapters.uv import find_uv
from pipelines.model.errors import BadInput, InProgress, NeedsPerson, Refused, Unavailable
from pipelines.model.release import Release
from tests.harness.missing import missing
from tests.support.tiny_application import TinyApplication

ROOT = Path(__file__).parents[2]


class Place:
    """A checkout of the tiny application and a store."""

    def __init__(self, folder: Path) -> None:
        self.app = TinyApplication(folder / "checkout")
        self.state = folder / "state"
        self.store = LocalReleaseStore(self.state)

    def build(self) -> Release:
        return self.store.build(self.app.folder)

    def change(self, number: int) -> None:
        self.app.write("app/tiny/__main__.py", f"print('change {number}')\n")
        self.app.commit(f"Change {number}")

    def folder_of(self, release: Release) -> Path:
        return self.state / "releases" / release.id

    def says(self, release: Release) -> str:
        argv = [str(self.store.python(release)), "-m", "tiny"]
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()

    def names(self) -> list[str]:
        return sorted(n for n in os.listdir(self.state / "releases") if n.startswith((".m", "r")))


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


# --- what a release is ----------------------------------------------------------------------------


def test_a_release_says_where_it_comes_from_and_what_it_holds(place: Place) -> None:
    release = place.build()
    assert release.version == "1"
    assert release.source_commit == place.app.head
    assert (release.source_author, release.source_subject) == (
        "Ada <ada@example.org>", "First commit",
    )  # fmt: skip
    assert release.migrations == ("a1",)
    assert release.values["dev"] == {"tiny": {"speed": 2}}
    assert release.values["production"] == {"tiny": {"speed": 1}}
    assert release.application.processes[0].sockets == ("live", "slot")
    assert place.says(release) == "one"
    assert place.store.problems(release) == []
    assert LocalReleaseStore(place.state).get(release.id) == release


def test_the_artifact_is_the_digest_of_the_installed_files(place: Place) -> None:
    release = place.build()
    packages = next((place.folder_of(release) / "venv/lib").glob("python3*")) / "site-packages"
    lines = sorted(
        f"{f.relative_to(packages).as_posix()} {hashlib.sha256(f.read_bytes()).hexdigest()}\n"
        for f in (packages / "tiny").rglob("*")
        if f.is_file() and "__pycache__" not in f.parts
    )
    assert release.artifact == hashlib.sha256("".join(lines).encode()).hexdigest()


def test_the_same_content_is_the_same_release_whatever_else_changes(place: Place) -> None:
    first = place.build()
    before = (place.folder_of(first) / "manifest.json").stat().st_mtime_ns
    place.app.write("docs/notes.md", "Documents are no part of a release.\n")
    place.app.commit("Write notes")
    assert place.build() == first
    assert (place.folder_of(first) / "manifest.json").stat().st_mtime_ns == before


def test_another_installation_gives_the_same_content_the_same_name(
    place: Place, tmp_path: Path
) -> None:
    assert LocalReleaseStore(tmp_path / "second").build(place.app.folder).id == place.build().id


def test_a_pure_settings_change_is_a_new_release_of_the_same_artefact(place: Place) -> None:
    first = place.build()
    place.app.write("environments/dev/values.yaml", "tiny:\n  speed: 3\n")
    place.app.commit("Faster")
    second = place.build()
    assert second.version == "2"
    assert second.id != first.id
    assert (second.artifact, second.parts["wheel"]) == (first.artifact, first.parts["wheel"])


def test_strategies_and_their_parameters_are_in_the_manifest(place: Place) -> None:
    place.app.write("environments/base/values.yaml", "tiny:\n  strategies:\n    a: {fast: 5}\n")
    place.app.commit("Trade")
    assert place.build().strategies == {"a": {"fast": 5}}


# --- the virtual environment ----------------------------------------------------------------------


def test_packages_come_from_the_hashed_lock_and_are_linked_into_the_next_release(
    place: Place, tmp_path: Path
) -> None:
    place.app.depend_on_a_package(tmp_path / "packages")
    place.app.write("app/tiny/__main__.py", "import leaf\nprint(leaf.value)\n")
    place.app.commit("Use leaf")
    first = place.build()
    assert place.says(first) == "7"
    place.app.write("app/tiny/__main__.py", "import leaf\nprint(leaf.value + 1)\n")
    place.app.commit("Use leaf otherwise")
    second = place.build()
    assert (place.says(first), place.says(second)) == ("7", "8")
    inodes = {
        next(place.folder_of(r).glob("venv/lib/python3*/site-packages/leaf/__init__.py"))
        .stat()
        .st_ino
        for r in (first, second)
    }
    assert len(inodes) == 1
    assert place.store.problems(second) == []
    scripts = place.folder_of(second) / "venv"
    assert list(scripts.glob("lib/python3*/site-packages/tiny/__pycache__/*.pyc"))


def test_a_package_that_is_not_what_the_lock_says_is_refused(place: Place, tmp_path: Path) -> None:
    place.app.depend_on_a_package(tmp_path / "packages")
    lock = place.app.folder / "app/requirements.lock"
    text = lock.read_text()
    lock.write_text(text[:-65] + "0" * 64 + "\n")
    place.app.commit("Forge the hash")
    with pytest.raises(BadInput, match=r"app/requirements\.lock"):
        place.build()
    assert place.names() == []


@pytest.mark.parametrize("damage", ["everything", "interpreter", "one file", "a package"])
def test_a_damaged_environment_is_made_again_from_the_wheel_without_network(
    place: Place, tmp_path: Path, damage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    place.app.depend_on_a_package(tmp_path / "packages")
    release = place.build()
    venv = place.folder_of(release) / "venv"
    packages = next(venv.glob("lib/python3*/site-packages"))
    if damage == "everything":
        shutil.rmtree(venv)
    elif damage == "interpreter":
        (venv / "bin/python").unlink()
    elif damage == "one file":
        (packages / "tiny/__main__.py").write_text("")
    else:
        shutil.rmtree(packages / "leaf")
    monkeypatch.setenv("UV_OFFLINE", "1")
    assert place.says(release) == "one"
    assert place.store.problems(release) == []


def test_without_its_wheel_a_release_cannot_be_repaired_and_it_is_said_how_to_build_it(
    place: Place,
) -> None:
    release = place.build()
    shutil.rmtree(place.folder_of(release) / "venv")
    (place.folder_of(release) / release.wheel).write_bytes(b"")
    with pytest.raises(NeedsPerson, match="lost its wheel") as refused:
        place.store.python(release)
    assert release.source_commit in refused.value.hint


def test_an_edited_file_is_found_by_the_deep_check(place: Place) -> None:
    release = place.build()
    packages = next((place.folder_of(release) / "venv").glob("lib/python3*/site-packages"))
    (packages / "tiny/__main__.py").write_text("print('two')\n")
    assert "tiny/__main__.py is not what" in place.store.problems(release)[0]


# --- names ----------------------------------------------------------------------------------------


def test_a_release_is_found_by_version_prefix_and_commit(place: Place) -> None:
    first = place.build()
    place.change(1)
    second = place.build()
    for name in (second.id, second.id[:8], second.id[2:9], "2", "v2", second.source_commit[:10]):
        assert place.store.get(name) == second
    assert place.store.newest() == second
    assert place.store.all() == [first, second]


def test_a_name_that_fits_nothing_is_refused_with_what_to_type(place: Place) -> None:
    with pytest.raises(Refused, match="unknown") as refused:
        place.store.get("r-nothing")
    assert refused.value.hint == "there is none yet: slipway build"
    release = place.build()
    for name, said, remedy in (
        ("99", "unknown", release.id),
        ("r-", "unknown", release.id),
        ("0123456789", "commit 0123456789 is unbuilt", "git checkout 0123456789 && slipway build"),
    ):
        with pytest.raises(Refused, match=said) as refused:
            place.store.get(name)
        assert remedy in refused.value.hint
    for name in ("", "../x", "/etc"):
        with pytest.raises(BadInput):
            place.store.get(name)


def test_a_pruned_release_is_unbuilt_and_gets_its_old_version_back(place: Place) -> None:
    first = place.build()
    place.change(1)
    second = place.build()
    assert place.store.prune([second.id]) == [first.id]
    assert place.store.all() == [second]
    with pytest.raises(Refused, match=r"version 1\) is unbuilt") as refused:
        place.store.get("1")
    assert f"git checkout {first.source_commit} && slipway build" in refused.value.hint
    place.app.git("checkout", "--quiet", first.source_commit)
    assert place.build().version == "1"
    place.app.git("checkout", "--quiet", "-")
    place.change(2)
    assert place.build().version == "3"


def test_what_is_to_be_kept_is_never_pruned(place: Place) -> None:
    release = place.build()
    assert place.store.prune([release.id]) == []
    assert place.says(release) == "one"


def test_a_damaged_manifest_is_said_and_hides_no_other_release(place: Place) -> None:
    first = place.build()
    place.change(1)
    second = place.build()
    manifest = place.folder_of(first) / "manifest.json"
    values = json.loads(manifest.read_text())
    for text in ("{", json.dumps({**values, "parts": {"app": "other"}}), "[]"):
        manifest.write_text(text)
        assert place.store.all() == [second]
        with pytest.raises(NeedsPerson, match="damaged"):
            place.store.get(first.id)


# --- what is refused ------------------------------------------------------------------------------


def test_uncommitted_changes_are_refused_by_name_and_nothing_is_built(place: Place) -> None:
    place.app.write("app/tiny/__main__.py", "print('dirty')\n")
    place.app.write("app/tiny/new file.py", "")
    place.app.write("notes.md", "outside")
    with pytest.raises(Refused, match="in 2 file") as refused:
        place.build()
    assert "app/tiny/__main__.py" in refused.value.message
    assert "app/tiny/new file.py" in refused.value.message
    assert not (place.state / "releases").exists()
    release = place.store.build(place.app.folder, allow_dirty=True)
    assert place.says(release) == "one"


@pytest.mark.parametrize(
    ("path", "text", "said"),
    [
        pytest.param("app/slipway.yaml", "name: [", r"app/slipway\.yaml: not YAML", id="yaml"),
        pytest.param("app/slipway.yaml", "name: x\nname: y\n", "there twice", id="duplicate"),
        pytest.param("environments/dev/values.yaml", "tiny: 3", "values.yaml: tiny", id="values"),
        pytest.param(
            "environments/dev/environment.yaml", "sook: 1", "unknown key 'sook'", id="environment"
        ),
        pytest.param("app/pyproject.toml", "[project", "wheel cannot be built", id="project"),
        pytest.param(
            "app/tiny/migrations/versions/0002_x.py", "revision = (", "not Python", id="migration"
        ),
        pytest.param("environments/base/values.yaml", "a" * 1_000_001, "at most", id="large"),
    ],
)
def test_a_tree_that_is_no_release_is_refused_and_leaves_nothing(
    place: Place, path: str, text: str, said: str
) -> None:
    place.app.write(path, text)
    place.app.commit("Break it")
    with pytest.raises(BadInput, match=said):
        place.build()
    assert place.names() == []


def test_links_and_files_of_100_megabytes_are_refused(place: Place) -> None:
    link = place.app.folder / "app/tiny/link.py"
    link.symlink_to("/etc/passwd")
    place.app.commit("Link")
    with pytest.raises(BadInput, match=r"app/tiny/link\.py: a symbolic link"):
        place.build()
    link.unlink()
    with (place.app.folder / "app/tiny/large.bin").open("wb") as file:
        file.truncate(100_000_000)
    place.app.commit("Large")
    with pytest.raises(BadInput, match=r"large\.bin: 100,000,000 bytes"):
        place.build()


@pytest.mark.parametrize("path", ["app/slipway.yaml", "app/requirements.lock"])
def test_a_missing_file_is_named(place: Place, path: str) -> None:
    (place.app.folder / path).unlink()
    place.app.commit("Forget it")
    with pytest.raises(BadInput, match=path):
        place.build()


# --- machine --------------------------------------------------------------------------------------


def test_a_killed_build_leaves_nothing_that_looks_like_a_release(place: Place) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from pipelines.adapters.release_store import LocalReleaseStore\n"
        "LocalReleaseStore(Path(sys.argv[1])).build(Path(sys.argv[2]))\n"
    )
    argv = [sys.executable, "-c", script, str(place.state), str(place.app.folder)]
    for delay in (0.1, 0.2, 0.3):
        child = subprocess.Popen(argv, start_new_session=True, cwd=ROOT)
        making = place.state / "releases"
        give_up = time.monotonic() + 20
        while not list(making.glob(".making-*")) and child.poll() is None:
            assert time.monotonic() < give_up
        time.sleep(delay)
        os.killpg(child.pid, signal.SIGKILL)
        child.wait()
        for release in place.store.all():
            assert place.store.problems(release) == []
    release = place.build()
    assert place.says(release) == "one"
    assert place.names() == [release.id]


def test_two_builds_at_once_give_one_release(place: Place) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from pipelines.adapters.release_store import LocalReleaseStore\n"
        "print(LocalReleaseStore(Path(sys.argv[1])).build(Path(sys.argv[2])).version)\n"
    )
    argv = [sys.executable, "-c", script, str(place.state), str(place.app.folder)]
    children = [
        subprocess.Popen(argv, cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(2)
    ]
    assert [child.communicate()[0].strip() for child in children] == ["1", "1"]
    assert len(place.store.all()) == 1


def test_a_build_that_waits_too_long_for_another_says_so(tmp_path: Path) -> None:
    with (
        one_at_a_time(tmp_path, 1.0),
        pytest.raises(InProgress, match="another build"),
        one_at_a_time(tmp_path, 0.2),
    ):
        pass


@pytest.fixture
def small_disk(tmp_path: Path) -> Path:
    """A file system of 512 KB, where the machine lets one be mounted."""
    disk = tmp_path / "disk"
    disk.mkdir()
    argv = ["mount", "-t", "tmpfs", "-o", "size=512k,mode=700", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(argv, capture_output=True, check=False).returncode:
        missing("needs root and mount")
    return disk


def test_a_full_disk_leaves_nothing_half_done(place: Place, small_disk: Path) -> None:
    try:
        (place.app.folder / "app/tiny/data.bin").write_bytes(os.urandom(2_000_000))
        place.app.commit("Grow")
        with pytest.raises(Unavailable, match=r"disk is full|No space left") as refused:
            LocalReleaseStore(small_disk).build(place.app.folder)
        assert refused.value.exit_code == 5
        assert [n for n in os.listdir(small_disk / "releases") if n.startswith((".m", "r-"))] == []
    finally:
        subprocess.run(["umount", str(small_disk)], check=True)


def test_a_state_folder_that_cannot_be_written_is_said(place: Place) -> None:
    place.state.write_text("a file where the folder belongs")
    with pytest.raises(Unavailable, match="cannot write"):
        place.build()


def test_the_uv_of_the_engine_is_used() -> None:
    assert Path(find_uv()).is_file()
