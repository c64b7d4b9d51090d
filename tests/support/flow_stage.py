"""One environment for flows: real records, and a target and an origin that a test can take away."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

from pipelines.adapters.sqlite import open_records
from pipelines.flows.context import Context
from pipelines.flows.ports import BranchCommit
from pipelines.model.branch import ActiveRow, BranchHead, BranchReading, BranchState, RowReading
from pipelines.model.errors import InProgress, Refused
from pipelines.model.live import Handover, Health, MigrationStatus, ProcessLive, SlotLive
from pipelines.model.slots import Slot
from tests.support import delivered
from tests.unit.records.operations import operation


@dataclass
class Target:
    """Remembers what was done to it. `down`: the database does not answer."""

    row: ActiveRow | None
    slots: dict[Slot, str | None]
    down: bool = False
    accepts: Slot | None = None
    killed: list[str | None] = field(default_factory=list)
    handovers: list[Handover] = field(default_factory=list)
    migrated: list[str] = field(default_factory=list)

    def read_row(self) -> RowReading:
        return RowReading(down=True, detail="gone") if self.down else RowReading(row=self.row)

    def traffic(self) -> Slot | None:
        return self.accepts

    def set_traffic(self, slot: Slot, *, live: bool, wait_seconds: float = 0.0) -> bool:
        self.accepts = slot if live else self.accepts
        return True

    def observe_slot(self, slot: Slot) -> SlotLive:
        release = self.slots[slot]
        runs = ProcessLive("web", 7, release or "", "", "", True, Health.HEALTHY, "")
        return SlotLive(slot, release, (runs,), Health.HEALTHY, "")

    def stage(self, slot: Slot, release: Any) -> None:
        self.slots[slot] = release.id

    def stop_slot(self, slot: Slot, *, kill: bool, forget: bool = False) -> None:
        self.killed += [self.slots[slot]] if kill else []
        self.slots[slot] = None if forget else self.slots[slot]

    def handover(self, release: Any, request: Handover) -> ActiveRow:
        self.handovers.append(request)
        before = self.row
        assert before is not None
        self.row = replace(
            delivered.confirmed(
                request.slot, request.release, before=before.release,
                operation=request.operation, epoch=before.epoch + 1,
            ),
            published=request.published, reason=request.reason,
        )  # fmt: skip
        return self.row

    def mark_published(self, operation: str, token: int) -> None:
        assert self.row is not None
        self.row = replace(self.row, published=True)

    def migration_status(self, release: Any) -> MigrationStatus:
        return MigrationStatus((), (), ("r0009",), ())

    def backup(self, reason: str) -> Any:
        return SimpleNamespace(name=f"backup {reason}")

    def migrate(self, release: Any, kind: str) -> None:
        self.migrated.append(f"{release.id} {kind}")


@dataclass
class Origin:
    """Commits of `env/dev`, newest last. `away`: git cannot be reached."""

    commits: list[BranchState]
    away: bool = False

    def read(self, environment: str, known: str | None) -> BranchReading:
        if self.away:
            return BranchReading(trouble="unreachable", detail="moved")
        return BranchReading(head=BranchHead(self._name(), None, self.commits[-1]))

    def commit(
        self, environment: str, state: BranchState, files: Mapping[str, str],
        *, expect: str, subject: str, trailers: Mapping[str, str],
    ) -> str:  # fmt: skip
        if expect != self._name():
            raise InProgress("the branch moved")
        self.commits.append(state)
        return self._name()

    def history(self, environment: str, limit: int) -> list[BranchCommit]:
        return [
            BranchCommit(str(number), "", "", state) for number, state in enumerate(self.commits)
        ][::-1]

    def _name(self) -> str:
        return f"commit-{len(self.commits)}"


class Stage:
    """r-old is active in blue; promotion-1 leads r-new to green and is under way."""

    def __init__(self, folder: Path, *, kind: str = "promotion") -> None:
        self.records = open_records(folder, "dev")
        before = delivered.branch(Slot.BLUE, blue="r-old", green=None)
        asked = delivered.branch(Slot.GREEN, blue="r-old", green="r-new")
        self.origin = Origin([replace(before, operation="bootstrap-0"), asked])
        row = delivered.confirmed(Slot.BLUE, "r-old", before="", operation="bootstrap-0", epoch=1)
        slots: dict[Slot, str | None] = {Slot.BLUE: "r-old", Slot.GREEN: "r-new"}
        self.target = Target(row, slots, accepts=Slot.BLUE)
        token = self.records.lock.acquire("controller", "controller", lease_seconds=60)
        self.records.journal.open(replace(operation("promotion-1", token, "r-new"), kind=kind))
        self.records.lock.release(token)
        self.context = cast(
            Context,
            SimpleNamespace(
                environment="dev",
                records=self.records,
                target=self.target,
                origin=self.origin,
                store=SimpleNamespace(get=_release, newest=lambda: None, all=lambda: [
                    _release("r-old"), _release("r-new"),
                ]),
                settings=lambda: SimpleNamespace(rollback_window_hours=0.0),
                hooks=None,
                observed=None,
                manifests=None,
                actor="Ada",
                now=lambda: datetime.now(UTC),
                sleep=lambda _: None,
                monotonic=lambda: 0.0,
                wake=lambda: False,
                reread=lambda: None,
                say=lambda *_: None,
            ),
        )  # fmt: skip

    def switched(self) -> None:
        """promotion-1 has switched to r-new and waits for its confirmation."""
        self.target.handover(None, Handover(
            Slot.GREEN, "r-new", "promotion-1", "c", 1, 1, None, True, "",
        ))  # fmt: skip
        self.target.handovers.clear()
        self.target.accepts = Slot.GREEN

    def given_back(self) -> None:
        """It failed there: r-old is active again, and git has not heard of it."""
        self.switched()
        self.target.handover(None, Handover(
            Slot.BLUE, "r-old", "promotion-1-back", "c", 1, 2, None, False, "it failed",
        ))  # fmt: skip
        self.target.handovers.clear()
        self.target.accepts = Slot.BLUE

    @property
    def audited(self) -> list[tuple[str, str]]:
        return [(entry.action, entry.result) for entry in self.records.audit.entries()]


def _release(name: str) -> Any:
    if name not in ("r-old", "r-new"):
        raise Refused(f"release {name!r} is unknown")
    web = SimpleNamespace(name="web", args=(), sockets=())
    application = SimpleNamespace(name="app", processes=(web,))
    return SimpleNamespace(
        id=name, version="1", source_commit="c", artifact="", parts={}, values={},
        migrations=("r0009",) if name == "r-new" else (), application=application,
    )  # fmt: skip
