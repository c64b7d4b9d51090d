"""Everything a flow may use for one environment, put together by `pipelines.wiring`."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pipelines.flows.ports import Manifests, Origin, ReleaseStore
from pipelines.flows.source_ports import Source
from pipelines.model.environment import ARGO_CD, EnvironmentSettings
from pipelines.model.hook import HookRecords
from pipelines.model.sync_state import SyncState
from pipelines.records.evidence import Evidence
from pipelines.records.protocols import Records
from pipelines.targets.protocol import Target


@dataclass(frozen=True, slots=True)
class Progress:
    """One line for whoever watches: a step began, ended or says something."""

    environment: str
    step: str
    status: str
    detail: str = ""
    seconds: float = 0.0


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Context:
    """One environment. `settings`, `evidence` and `source` (the branches that people write) are
    opened on first need, since a rollback must need neither git nor keys; `sibling` gives the
    context of another environment; `wake` tells a living controller to look now and answers whether
    one lives. `hooks`: what hooks in a cluster write down. `observed`: somebody else goes forward, and
    says of a commit why it failed to (empty: it did not, or cannot be asked); `syncer` is their name,
    and `written` what they wrote down of syncs and heals (None: they do not, as Argo CD). After `reread`
    `settings` says what `main` says by then; until then it says the same."""

    environment: str
    state: Path
    records: Records
    target: Target
    origin: Origin
    store: ReleaseStore
    settings: Callable[[], EnvironmentSettings]
    evidence: Callable[[], Evidence]
    source: Callable[[], Source]
    sibling: Callable[[str], Context]
    wake: Callable[[], bool]
    actor: str
    now: Callable[[], datetime] = _utc_now
    sleep: Callable[[float], None] = time.sleep
    monotonic: Callable[[], float] = time.monotonic
    manifests: Manifests | None = None
    hooks: HookRecords | None = None
    observed: Callable[[str], str] | None = None
    syncer: str = ARGO_CD
    written: Callable[[], Sequence[SyncState]] | None = None
    reread: Callable[[], None] = lambda: None
    progress: Callable[[Progress], None] = field(default=lambda _: None)

    def say(self, step: str, status: str, detail: str = "", seconds: float = 0.0) -> None:
        self.progress(Progress(self.environment, step, status, detail, seconds))
