"""Reading data files without being led astray, and writing files that are whole or not there."""

from __future__ import annotations

import errno
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from pipelines.model.errors import BadInput, Unavailable

MAX_BYTES = 1_000_000


def read_text(root: Path, relative: str, *, limit: int = MAX_BYTES) -> str:
    """Text of `root/relative`. Refused (BadInput): a path that leaves `root`, a symbolic link on
    the way, anything but a regular file, more than `limit` bytes, text that is not UTF-8."""
    parts = safe_parts(relative)
    descriptor = _open_below(root, parts, relative)
    try:
        facts = os.fstat(descriptor)
        if not stat.S_ISREG(facts.st_mode):
            raise BadInput(f"{relative}: not a regular file", hint="replace it by a file")
        check_size(relative, facts.st_size, limit)
        content = b""
        while len(content) <= limit and (chunk := os.read(descriptor, limit + 1)):
            content += chunk
    finally:
        os.close(descriptor)
    check_size(relative, len(content), limit)
    return decode(relative, content)


def safe_parts(relative: str) -> tuple[str, ...]:
    """Parts of a relative path that stays where it starts; BadInput otherwise."""
    path = PurePosixPath(relative)
    if not relative or "\0" in relative or path.is_absolute() or ".." in path.parts:
        raise BadInput(
            f"path {relative!r} leaves its folder", hint="write a path below the folder, without .."
        )
    return path.parts


def check_size(name: str, size: int, limit: int = MAX_BYTES) -> None:
    if size > limit:
        raise BadInput(
            f"{name}: {size:,} bytes, at most {limit:,} are read",
            hint="is this the right file? Data files are small",
        )


def decode(name: str, content: bytes) -> str:
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError as error:
        raise BadInput(
            f"{name}: byte {error.start} is not UTF-8", hint="save it as UTF-8"
        ) from None


def write_whole(path: Path, content: bytes, *, mode: int = 0o600) -> None:
    """The file has afterwards either its old or its new content, on disk. Raises Unavailable."""
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    with writing(path):
        try:
            descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
            with os.fdopen(descriptor, "wb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
            temporary.replace(path)
            sync_folder(path.parent)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def sync_folder(folder: Path) -> None:
    """Make names in `folder` survive power loss."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def writing(what: Path) -> Iterator[None]:
    """The system's refusals to write, in the engine's words."""
    try:
        yield
    except OSError as error:
        hints = {
            errno.ENOSPC: "the disk is full: make room, then run the same command again",
            errno.EDQUOT: "the disk quota is used up: make room, then run the same command again",
            errno.EROFS: "the file system is read-only: mount it writable or use --state DIR",
            errno.EACCES: "it belongs to somebody else: run as its owner or use --state DIR",
        }
        raise Unavailable(
            f"cannot write {what}: {error.strerror or error}",
            hint=hints.get(error.errno or 0, "see `slipway doctor`"),
        ) from error


def _open_below(root: Path, parts: tuple[str, ...], relative: str) -> int:
    """Open part by part, following no link: what was checked is what is read."""
    folder = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for part in parts[:-1]:
            flags = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
            inner = os.open(part, flags, dir_fd=folder)
            os.close(folder)
            folder = inner
        flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        return os.open(parts[-1], flags, dir_fd=folder)
    except OSError as error:
        if error.errno in (errno.ELOOP, errno.ENOTDIR):
            raise BadInput(
                f"{relative}: a symbolic link or no folder on the way", hint="use a real file"
            ) from None
        if error.errno == errno.ENOENT:
            raise BadInput(f"{relative}: there is no such file in {root}", hint="add it") from None
        raise BadInput(f"{relative}: cannot be read: {error.strerror}") from None
    finally:
        os.close(folder)
