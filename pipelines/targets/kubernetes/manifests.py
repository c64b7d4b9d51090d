"""The manifests of an environment's branch: rendered for it, and read from it again.

What a slot runs is what the branch says, byte for byte. Each text is kept in the state folder too:
a way back that needs a slot filled again works while git is away.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Protocol

from pipelines.engine import charts
from pipelines.engine.chart_objects import holds_secret, objects, title
from pipelines.engine.charts import ChartRenderer
from pipelines.model import delivery
from pipelines.model.branch import BranchReading, BranchState
from pipelines.model.environment import EnvironmentSettings
from pipelines.model.errors import Refused, Unavailable
from pipelines.model.release import Release
from pipelines.model.slots import Slot


class Branches(Protocol):
    """The two questions to `flows.ports.Origin` that are asked here."""

    def read(self, environment: str, known_commit: str | None) -> BranchReading: ...

    def file(self, environment: str, commit: str, path: str) -> str | None: ...


class BranchManifests:
    """`flows.ports.Manifests`, and what the target stages. `copies` is a folder of its own;
    `settings` may ask the origin, `renderer` may start a process: both are asked when needed."""

    def __init__(
        self,
        environment: str,
        *,
        branches: Branches,
        settings: Callable[[], EnvironmentSettings],
        source: Callable[[Release], Path],
        renderer: Callable[[], ChartRenderer],
        copies: Path,
    ) -> None:
        self._environment = environment
        self._branches = branches
        self._settings = settings
        self._source = source
        self._renderer = renderer
        self._copies = copies
        self._read_of = ""
        self._read: dict[str, str | None] = {}

    def files(self, state: BranchState, releases: Mapping[str, Release]) -> dict[str, str]:
        found: dict[str, str] = {}
        for named in filter(None, state.slots.values()):
            charts.require_slots(releases[named.release], self._environment)
        for slot in Slot:
            content = state.slots.get(slot)
            if content is None:
                continue
            release = releases[content.release]
            active = slot is state.active
            told = self._delivery(state, releases) if active else ""
            text = self._slot(release, slot, active=active, delivery=told)
            found[charts.slot_path(slot)] = text
            if slot is state.active:
                found[charts.EDGE_PATH] = self._edge(release, slot)
        _check(found)
        return found

    def candidate(self, release: Release, slot: Slot) -> dict[str, str]:
        charts.require_slots(release, self._environment)
        found = {
            charts.slot_path(slot): self._slot(release, slot, active=True),
            charts.EDGE_PATH: self._edge(release, slot),
        }
        _check(found)
        return found

    def of_slot(self, slot: Slot, release: Release) -> str:
        """What the slot shall run: as the branch holds it when it names this release there, else
        rendered now; with git away the text that was given last. Errors as `files`, and
        Unavailable."""
        return self._of(charts.slot_path(slot), release, slot)

    def of_edge(self, slot: Slot, release: Release) -> str:
        """What stands in front while this release is active; as `of_slot`. `slot` is where Services
        lead at first: who holds them may have turned them since."""
        return self._of(charts.EDGE_PATH, release, slot)

    def _of(self, path: str, release: Release, slot: Slot) -> str:
        charts.require_slots(release, self._environment)
        try:
            text = self._in_branch(path, release, slot)
            if text is None:
                text = self._rendered(path, release, slot)
        except Unavailable:
            copy = self._copy(path, slot, release.id)
            if not copy.is_file():
                raise
            return copy.read_text()
        self._keep(path, slot, release.id, text)
        return text

    def _in_branch(self, path: str, release: Release, slot: Slot) -> str | None:
        """None when the branch names another release there, or is in some other trouble."""
        reading = self._branches.read(self._environment, None)
        if reading.trouble == "unreachable":
            raise Unavailable(f"the origin does not answer: {reading.detail}")
        if reading.head is None:
            return None
        state = reading.head.state
        content = state.active_content if path == charts.EDGE_PATH else state.slots.get(slot)
        if content is None or content.release != release.id:
            return None
        return self._file(reading.head.commit, path)

    def _file(self, commit: str, path: str) -> str | None:
        """Asked for each look at the cluster: read once for each commit."""
        if self._read_of != commit:
            self._read_of, self._read = commit, {}
        if path not in self._read:
            self._read[path] = self._branches.file(self._environment, commit, path)
        return self._read[path]

    def _rendered(self, path: str, release: Release, slot: Slot) -> str:
        if path == charts.EDGE_PATH:
            return self._edge(release, slot)
        return self._slot(release, slot, active=False)

    def _delivery(self, state: BranchState, releases: Mapping[str, Release]) -> str:
        """What hooks are told. Nothing where no hook is rendered."""
        settings = self._settings()
        if settings.kubernetes is None or not settings.kubernetes.hooked:
            return ""
        named = [content.release for content in state.slots.values() if content is not None]
        kept = {name: releases[name] for name in named}
        return delivery.render(delivery.Delivery(state, settings, kept))

    def _slot(self, release: Release, slot: Slot, *, active: bool, delivery: str = "") -> str:
        return charts.render_slot(
            *(self._renderer(), self._source(release), release),
            *(self._settings(), slot),
            active=active,
            delivery=delivery,
        )

    def _edge(self, release: Release, slot: Slot) -> str:
        return charts.render_edge(
            *(self._renderer(), self._source(release), release),
            *(self._settings(), slot),
        )

    def _copy(self, path: str, slot: Slot, release: str) -> Path:
        part = charts.EDGE if path == charts.EDGE_PATH else str(slot)
        return self._copies / f"{release}.{part}.yaml"

    def _keep(self, path: str, slot: Slot, release: str, text: str) -> None:
        """Whole or not there; only when it says something else than before."""
        copy = self._copy(path, slot, release)
        if copy.is_file() and copy.read_text() == text:
            return
        self._copies.mkdir(mode=0o700, parents=True, exist_ok=True)
        making = copy.with_name(f".{copy.name}.{os.getpid()}")
        with making.open("w") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        making.replace(copy)

    def forget(self, but: Sequence[str]) -> None:
        for copy in self._copies.glob("r-*.yaml"):
            if copy.name.partition(".")[0] not in but:
                copy.unlink(missing_ok=True)


def _check(files: Mapping[str, str]) -> None:
    """Raises BadInput for what is no object or has the name of another, Refused for a secret."""
    for resource in objects(files):
        if holds_secret(resource):
            raise Refused(
                f"{title(resource)} would lie on the branch of the environment, for everybody to"
                " read",
                hint="name a Secret that somebody makes in the cluster; a chart renders none",
            )


def digest(text: str) -> str:
    """Names a set of manifests in messages, histories and results."""
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
