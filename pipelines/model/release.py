"""A release: an immutable, content-addressed set from one source tree."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

ENVIRONMENTS = ("dev", "staging", "production")
SHORTEST_NAME = 4
"""Characters of an id (after `r-`) that are taken for one."""


@dataclass(frozen=True, slots=True)
class ProcessSpec:
    """One process of a slot. `sockets` ⊆ {live, slot, control}; `args` follow `python -m <module>`."""

    name: str
    args: tuple[str, ...]
    sockets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ServiceSpec:
    """A process of an environment that outlives slots (the paper venue)."""

    name: str
    args: tuple[str, ...]
    socket: str


@dataclass(frozen=True, slots=True)
class Application:
    """What an application offers, read from its `slipway.yaml`. See docs/app-contract.md."""

    name: str
    module: str
    processes: tuple[ProcessSpec, ...]
    services: tuple[ServiceSpec, ...]
    commands: Mapping[str, tuple[str, ...]]

    def offers(self, command: str) -> bool:
        return command in self.commands


@dataclass(frozen=True, slots=True)
class Release:
    """The manifest of a release.

    `id` is `r-` and the first 16 hex digits of sha256 over the canonical JSON of `parts`
    (tree digests of app/, charts/ and environments/, lock digest, wheel digest).
    `artifact` is the digest every process must report at /version.
    `values` maps environment name to its merged values.
    """

    id: str
    version: str
    source_commit: str
    source_author: str
    source_subject: str
    built_at: str
    artifact: str
    wheel: str
    parts: Mapping[str, str]
    migrations: tuple[str, ...]
    strategies: Mapping[str, Any]
    application: Application
    values: Mapping[str, Mapping[str, Any]]
