"""Evidence outside its installation: the envelopes of one source in a folder, and committed keys.

A pipeline elsewhere has neither the state folder nor its heads. It believes what keys sign that lie
in `policies/promotion/keys/` on the branch a merge goes to, and cannot see that the end of a chain
was cut off unless it is told how many statements there must be.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from pipelines.adapters.evidence_files import FileShelf, read_envelopes
from pipelines.adapters.files import write_whole, writing
from pipelines.adapters.signing import FileKeys
from pipelines.model.errors import BadInput, Refused, Unavailable
from pipelines.records.envelope import digest_of
from pipelines.records.evidence import Head

TRUSTED = "trusted.json"


class CommittedKeys(FileKeys):
    """Public keys in a folder that everybody may read: role → signer → PEM. It cannot sign."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._file = folder / TRUSTED

    def _read_trusted(self) -> dict[str, dict[str, str]]:
        try:
            found = json.loads(self._file.read_text())
            return {
                str(role): {str(signer): str(key) for signer, key in signers.items()}
                for role, signers in found.items()
            }
        except FileNotFoundError:
            raise BadInput(
                f"{self._file} is missing: nobody is trusted",
                hint="write it with: slipway evidence keys > " + str(self._file),
            ) from None
        except (ValueError, AttributeError) as error:
            raise BadInput(f"{self._file} is damaged: {error}", hint="commit it anew") from None
        except OSError as error:
            raise Unavailable(f"cannot read {self._file}: {error.strerror}") from error


class BundleShelf:
    """`records.evidence.Shelf`, for reading: its head is where the folder ends."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @contextmanager
    def lock(self, *, shared: bool) -> Iterator[None]:
        yield

    def envelopes(self, source: str) -> tuple[dict[int, bytes], list[str]]:
        del source  # each envelope says itself what it is about, and is asked
        return read_envelopes(self._folder)

    def head(self, source: str) -> Head | None:
        found, _ = self.envelopes(source)
        return Head(len(found), digest_of(found[max(found)])) if found else None

    def add(self, source: str, sequence: int, content: bytes) -> None:
        raise self._only_read()

    def set_head(self, source: str, head: Head) -> None:
        raise self._only_read()

    def sources(self) -> Sequence[str]:
        return ()

    def _only_read(self) -> Refused:
        return Refused(
            f"{self._folder} is a copy of evidence, and only read",
            hint="say it where the installation is, then: slipway evidence export",
        )


def export(state: Path, source: str, folder: Path) -> int:
    """Copy the envelopes about a source into a new folder; how many. BadInput: the folder exists."""
    if folder.exists():
        raise BadInput(f"{folder} exists", hint="name a folder that is not there yet")
    shelf = FileShelf(state)
    with shelf.lock(shared=True):
        found, _ = shelf.envelopes(source)
    with writing(folder.parent):
        folder.mkdir(parents=True)
    for number, content in sorted(found.items()):
        write_whole(folder / f"{number:06}.json", content)
    return len(found)
