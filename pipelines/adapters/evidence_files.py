"""Envelopes under `state/evidence/<source>/`, their heads in `state/evidence-heads.sqlite`."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pipelines.adapters.file_lock import wait_for_lock
from pipelines.adapters.files import sync_folder, write_whole, writing
from pipelines.adapters.sqlite import SqliteStore
from pipelines.model.errors import Unavailable
from pipelines.records.evidence import Head

_NAME = re.compile(r"([0-9]{6})\.json")
_WAIT_SECONDS = (
    60.0  # a writer holds it for milliseconds; on a loaded machine one may have bad luck
)
_LARGEST_BYTES = 6_000_000
_VERSION = 1
_TABLES = """
create table if not exists heads (
  source text primary key, count integer not null, digest text not null, next text not null
);
create trigger if not exists heads_never_shrink before update on heads
  when new.count < old.count
  begin select raise(abort, 'the evidence about a source only grows'); end;
create trigger if not exists heads_stay before delete on heads
  begin select raise(abort, 'the evidence about a source only grows'); end;
"""


class FileShelf:
    """`records.evidence.Shelf` in the state folder."""

    def __init__(self, state: Path) -> None:
        self._folder = state / "evidence"
        self._heads = SqliteStore(state / "evidence-heads.sqlite", _TABLES, _VERSION)

    @contextmanager
    def lock(self, *, shared: bool) -> Iterator[None]:
        with writing(self._folder):
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(
                self._folder / ".lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600
            )
        try:
            wait_for_lock(descriptor, _WAIT_SECONDS, self._late, shared=shared, poll_seconds=0.002)
            yield
        finally:
            os.close(descriptor)

    def _late(self) -> Exception:
        return Unavailable(
            f"somebody has held {self._folder / '.lock'} for {_WAIT_SECONDS:g} s",
            hint="run it again",
        )

    def envelopes(self, source: str) -> tuple[dict[int, bytes], list[str]]:
        return read_envelopes(self._folder / source)

    def add(self, source: str, sequence: int, content: bytes) -> None:
        folder = self._folder / source
        with writing(folder):
            if not folder.exists():
                folder.mkdir(mode=0o700)
                sync_folder(self._folder)
        write_whole(folder / f"{sequence:06}.json", content)

    def head(self, source: str) -> Head | None:
        rows = self._heads.query(
            "select count, digest, next from heads where source = ?", (source,)
        )
        return Head(*rows[0]) if rows else None

    def set_head(self, source: str, head: Head) -> None:
        with self._heads.write() as transaction:
            transaction.execute(
                "insert into heads (source, count, digest, next) values (?, ?, ?, ?)"
                " on conflict (source) do update set"
                " count = excluded.count, digest = excluded.digest, next = excluded.next",
                (source, head.count, head.digest, head.next),
            )

    def sources(self) -> Sequence[str]:
        return [row[0] for row in self._heads.query("select source from heads order by source")]


def read_envelopes(folder: Path) -> tuple[dict[int, bytes], list[str]]:
    """Sequence → content of the envelopes in a folder, and what else lies there (names)."""
    found: dict[int, bytes] = {}
    strange: list[str] = []
    try:
        names = sorted(entry for entry in os.listdir(folder) if not entry.startswith("."))
    except FileNotFoundError:
        return {}, []
    except OSError as error:
        raise Unavailable(f"cannot read {folder}: {error.strerror}") from error
    for name in names:
        matched = _NAME.fullmatch(name)
        if matched is None or not _regular(folder / name):
            strange.append(name)
        else:
            found[int(matched[1])] = _read(folder / name)
    return found, strange


def _regular(path: Path) -> bool:
    return path.is_file() and not path.is_symlink()


def _read(path: Path) -> bytes:
    """At most a little more than an envelope may have: more is refused by who opens it."""
    try:
        with path.open("rb") as file:
            return file.read(_LARGEST_BYTES)
    except OSError as error:
        raise Unavailable(f"cannot read {path}: {error.strerror}") from error
