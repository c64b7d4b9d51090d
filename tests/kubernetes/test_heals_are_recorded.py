"""What a hand changed on a cluster is written again, and the audit says what, by whom and since when."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from pipelines.adapters.git import GitOrigin
from pipelines.adapters.kubernetes.client import ApiServer
from pipelines.adapters.sqlite import open_records
from pipelines.flows.context import Context
from pipelines.flows.drift import drift, heal
from pipelines.model.branch import ActiveRow
from pipelines.model.errors import Refused
from pipelines.model.live import Health, LiveState, Mend, SlotLive
from pipelines.model.resource import Resource
from pipelines.model.slots import Slot
from pipelines.records.protocols import Records
from pipelines.records.sync_diary import ACTION, SyncDiary
from pipelines.targets.kubernetes.environment_sync import EnvironmentSync
from pipelines.targets.kubernetes.layout import NAME_LABEL, SLOT_LABEL, Place
from pipelines.targets.kubernetes.mending import mends

RELEASE = "r-0000000000000001"
NOW = datetime(2026, 1, 2, tzinfo=UTC)
ROW = ActiveRow(
    *(Slot.BLUE, RELEASE, 1, "promotion-1", "c" * 40, "confirmed", None, 1),
    *(None, None, True, "", NOW),
)


class OneSlot:
    """As much of a target as healing asks: blue runs the release, and its objects are real."""

    def __init__(self, sync: EnvironmentSync, cluster: ApiServer, desired: Sequence[Resource]):
        self.sync, self.cluster, self.desired = sync, cluster, desired

    def observe(self) -> LiveState:
        blue = SlotLive(Slot.BLUE, RELEASE, (), Health.HEALTHY, "")
        green = SlotLive(Slot.GREEN, None, (), Health.MISSING, "empty")
        slots = {Slot.BLUE: blue, Slot.GREEN: green}
        return LiveState(slots, {}, Health.HEALTHY, Health.HEALTHY)

    def slot_drift(self, slot: Slot) -> Sequence[Mend]:
        if slot is not Slot.BLUE:
            return ()
        return mends(self.sync, self.cluster, str(slot), self.desired)

    def traffic(self) -> Slot:
        return Slot.BLUE


class NoReleases:
    def get(self, release: str) -> Any:
        raise Refused(f"{release} is not here")

    def newest(self) -> None:
        return None


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return open_records(tmp_path, "dev")


@pytest.fixture
def context(
    cluster: ApiServer, namespace: str, tmp_path: Path, records: Records
) -> Iterator[Context]:
    place = Place("dev", namespace, "trading", ("trading-dev",))
    labels = {NAME_LABEL: "trading", SLOT_LABEL: "blue"}
    metadata = {"name": "trading-blue-settings", "namespace": namespace, "labels": labels}
    desired = [
        Resource(
            {"apiVersion": "v1", "kind": "ConfigMap", "metadata": metadata, "data": {"a": "1"}}
        )
    ]
    sync = EnvironmentSync(place, cluster, SyncDiary(lambda: records), timeout_seconds=20)
    sync.sync("blue", desired)
    nothing = cast(Any, None)
    yield Context(
        environment="dev",
        state=tmp_path,
        records=records,
        target=cast(Any, OneSlot(sync, cluster, desired)),
        origin=GitOrigin(tmp_path / "origin.git"),
        store=cast(Any, NoReleases()),
        settings=nothing,
        evidence=nothing,
        source=nothing,
        sibling=nothing,
        wake=lambda: False,
        actor="ada",
    )
    sync.close()


def test_a_heal_is_in_the_audit_with_field_manager_and_since_when_and_its_sync_beside_it(
    context: Context, cluster: ApiServer
) -> None:
    target = cast(OneSlot, context.target)
    (desired,) = target.desired
    cluster.patch(desired.key, {"data": {"a": "9"}}, kind="merge", manager="kubectl-edit")
    (item,) = drift(context, ROW)
    assert "/data/a" in item.change
    assert "by kubectl-edit since 20" in item.change
    token = context.records.lock.acquire("controller", "look", lease_seconds=60)
    (done,) = heal(context, ROW, token)
    assert done == f"mended: {item.change}"
    found = {entry.action: entry for entry in context.records.audit.entries(2)}
    (field,) = found["heal"].details["fields"]
    assert (field["path"], field["manager"]) == ("/data/a", "kubectl-edit")
    assert (field["is_now"], field["shall_be"]) == ("9", "1")
    assert field["since"]
    assert found[ACTION].details["part"] == "blue"
    assert found[ACTION].details["results"][0]["result"] == "Synced"
    assert heal(context, ROW, token) == []
    live = cluster.get(desired.key)
    assert live is not None
    assert live.manifest["data"] == {"a": "1"}


def test_what_is_as_desired_is_neither_healed_nor_recorded(context: Context) -> None:
    before = context.records.audit.head()
    token = context.records.lock.acquire("controller", "look", lease_seconds=60)
    assert heal(context, ROW, token) == []
    assert context.records.audit.head() == before
