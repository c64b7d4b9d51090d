"""What a stage offers, and what it may ask of the machine. Adapters implement the second half."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol

from pipelines.engine.charts import ChartRenderer
from pipelines.model.advisory import IndexRecord, Snapshot
from pipelines.model.check import Change, StageResult
from pipelines.model.environment import EnvironmentSettings
from pipelines.model.release import Release
from pipelines.stages.rehearsal_protocol import BackupCopy, Rehearsals


@dataclass(frozen=True, slots=True)
class Done:
    """How a program ended. `code` is None when it was stopped: `why` is then `timeout`, `output`
    (more than allowed) or `missing` (no such program)."""

    code: int | None
    out: str
    err: str
    seconds: float
    why: str = ""


class Programs(Protocol):
    """Starts programs: clean environment, own process group, time and output limits."""

    def run(
        self,
        argv: Sequence[str | Path],
        *,
        folder: Path,
        seconds: float,
        variables: Mapping[str, str] | None = None,
        stdin: str = "",
        output_bytes: int = 20_000_000,
        memory_bytes: int | None = None,
    ) -> Done: ...


class Environments(Protocol):
    """Virtual environments for checks, made once per lock file under the state folder, by hash."""

    def tools(self) -> Path:
        """`bin` of the engine's own check tools (ruff, mypy, pytest, coverage, bandit, squawk, …)."""

    def python(self, lock: Path) -> Path:
        """Interpreter with exactly what a hashed requirements file names; wheels only."""


@dataclass(frozen=True, slots=True)
class Options:
    """What a person may say about a check. `advisories`: a snapshot of advisories, else live.
    `backup`: what migrations are rehearsed on, found by wiring (`newest_backup` of
    adapters.rehearsal_database); None, also in CI, for generated rows."""

    advisories: Path | None = None
    now: Callable[[], datetime] | None = None
    backup: BackupCopy | None = None
    running: Mapping[str, str] = field(default_factory=dict)
    """Environment → `processes.yaml` of its active slot, found by wiring; empty in CI."""


@dataclass(frozen=True, slots=True)
class Rendered:
    """What a release of a tree would say. Mappings by name; `values` and `settings` by environment.
    `strategies_at`: the dotted path of the strategies in the values. `release`: as charts would be
    told of it, without what only a build gives; `decided`: the settings, read."""

    processes: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    services: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    commands: Mapping[str, Sequence[str]] = field(default_factory=dict)
    migrations: Sequence[str] = ()
    values: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    settings: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    dependencies: Mapping[str, str] = field(default_factory=dict)
    strategies_at: str = ""
    release: Release | None = None
    decided: Mapping[str, EnvironmentSettings] = field(default_factory=dict)


class Renderer(Protocol):
    def __call__(self, folder: Path) -> Rendered:
        """Of an exported tree. Raises BadInput naming the file."""


@dataclass(frozen=True, slots=True)
class AddedLine:
    """A line that a commit of the change added, whether or not a later one took it away again."""

    commit: str
    path: str
    line: int
    text: str


class History(Protocol):
    def __call__(self, change: Change) -> Sequence[AddedLine]:
        """Every added line of every commit of the change. Raises Unavailable."""


class AdvisorySnapshot(Protocol):
    def __call__(self, file: Path, packages: Collection[str]) -> Snapshot:
        """What a snapshot says about these packages (normalised names). Raises BadInput."""


class PackageIndex(Protocol):
    def __call__(self, packages: Collection[str]) -> Mapping[str, IndexRecord | str]:
        """For every package its record, or in words why there is none. Raises Unavailable when the
        index does not answer at all."""


@dataclass(frozen=True, slots=True)
class Workshop:
    """Everything a stage may use. `folder` is its own scratch folder, empty, removed later;
    `reports` is where attachments go. `say` reports progress in words. What the migrations and
    the security stage ask of the machine is None where nobody put it in; they are then red."""

    programs: Programs
    environments: Environments
    folder: Path
    reports: Path
    now: Callable[[], datetime]
    options: Options = field(default_factory=Options)
    say: Callable[[str], None] = field(default=lambda _: None)
    rehearsals: Rehearsals | None = None
    history: History | None = None
    advisory_snapshot: AdvisorySnapshot | None = None
    package_index: PackageIndex | None = None
    renderer: Renderer | None = None
    charts: ChartRenderer | None = None
    kept: Path | None = None
    """A folder that outlives the check, for a tool's own cache; nothing a verdict rests on."""


class Stage(Protocol):
    """One stage. `inputs` are the digests that decide its answer (besides its own code and tools):
    equal inputs are answered from the cache. Raises nothing on purpose but what cannot be foreseen;
    a tool that fails is a `broken` result."""

    @property
    def name(self) -> str: ...

    def touched(self, change: Change) -> bool: ...

    def inputs(self, change: Change, options: Options) -> Mapping[str, str]: ...

    def run(self, change: Change, workshop: Workshop) -> StageResult: ...
