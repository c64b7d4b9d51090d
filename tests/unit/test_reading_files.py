"""Data files are read from where they are said to be, or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from pipelines.adapters.files import read_text, write_whole
from pipelines.model.errors import BadInput, Unavailable


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "root"
    (root / "folder").mkdir(parents=True)
    (root / "folder" / "file.yaml").write_text("a: ü\n")
    (tmp_path / "secret").write_text("secret")
    return root


def test_a_file_is_read(root: Path) -> None:
    assert read_text(root, "folder/file.yaml") == "a: ü\n"


@pytest.mark.parametrize(
    "path", ["../secret", "folder/../../secret", "/etc/passwd", "", "folder/\0x"]
)
def test_a_path_that_leaves_its_folder_is_refused(root: Path, path: str) -> None:
    with pytest.raises(BadInput, match="leaves its folder"):
        read_text(root, path)


def test_symbolic_links_are_refused_as_file_and_on_the_way(root: Path) -> None:
    (root / "link").symlink_to(root.parent / "secret")
    (root / "way").symlink_to(root / "folder")
    for path in ("link", "way/file.yaml"):
        with pytest.raises(BadInput, match="symbolic link"):
            read_text(root, path)


def test_a_file_of_100_megabytes_is_refused_without_reading_it(root: Path) -> None:
    with (root / "large").open("wb") as file:
        file.truncate(100_000_000)
    with pytest.raises(BadInput, match="large: 100,000,000 bytes, at most 1,000,000"):
        read_text(root, "large")


def test_what_is_no_file_is_refused_without_waiting(root: Path) -> None:
    os.mkfifo(root / "pipe")
    for path in ("pipe", "folder"):
        with pytest.raises(BadInput, match="not a regular file"):
            read_text(root, path)
    with pytest.raises(BadInput, match="no such file"):
        read_text(root, "absent.yaml")


def test_bytes_that_are_not_utf8_are_refused(root: Path) -> None:
    (root / "latin").write_bytes(b"caf\xe9")
    with pytest.raises(BadInput, match="byte 3 is not UTF-8"):
        read_text(root, "latin")


def test_a_write_that_fails_leaves_the_old_content_and_no_traces(root: Path) -> None:
    target = root / "folder" / "file.yaml"
    write_whole(target, b"new")
    assert target.read_bytes() == b"new"
    with pytest.raises(Unavailable, match="cannot write"):
        write_whole(root / "folder" / "file.yaml" / "below", b"x")
    assert os.listdir(root / "folder") == ["file.yaml"]
