"""What is known about vulnerable releases of packages. Frozen facts; who reads them is an adapter."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Advisory:
    """One record in OSV terms, as far as it speaks of one package.

    `ranges` are lists of events in the record's order, each (`introduced` | `fixed` |
    `last_affected`, version). `versions` are named one by one. Without both the record does not say
    which releases it means.
    """

    id: str
    package: str
    aliases: tuple[str, ...] = ()
    summary: str = ""
    ranges: tuple[tuple[tuple[str, str], ...], ...] = ()
    versions: tuple[str, ...] = ()
    withdrawn: bool = False


@dataclass(frozen=True, slots=True)
class Snapshot:
    """What a snapshot says about the packages it was asked for. `records` counts all it holds;
    `modified` is its newest date of change (UTC, ISO 8601), `set_aside` how many records carry a
    later date that cannot be believed; `sha256` is of the file."""

    advisories: tuple[Advisory, ...]
    records: int
    modified: str
    set_aside: int
    sha256: str


@dataclass(frozen=True, slots=True)
class IndexRecord:
    """What the package index says about a package: its newest release, and the ids of what is known
    against that one release. `vulnerable` is None where the index keeps no such list."""

    newest: str
    yanked: bool
    vulnerable: Mapping[str, tuple[str, ...]] | None
    """Id → aliases."""
