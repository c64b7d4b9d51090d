"""A hook that finds what ran before: migrations made since then are no reason against it, a closed way is."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any, cast

import pytest

from pipelines.flows.hook_desk import Desk
from pipelines.flows.hooks import run_hook
from pipelines.model import hook
from pipelines.model.errors import Refused
from pipelines.model.hook import HookRecord, closed_key
from pipelines.model.live import MigrationStatus
from pipelines.model.slots import Slot
from tests.support import delivered

AT = delivered.AT
BACK = delivered.branch(Slot.BLUE, blue="r-old", green=None)
ROW = delivered.confirmed(Slot.GREEN, "r-new", before="r-old", operation="promotion-2", epoch=8)
SINCE_THEN = MigrationStatus(
    applied=("r0001", "r0002"), pending=(), contract=(), missing=("r0002",)
)


@dataclass
class Records:
    """What hooks wrote, kept here."""

    before: set[str] = field(default_factory=set)
    good: set[str] = field(default_factory=set)
    keys: dict[str, str] = field(default_factory=dict)
    written: list[HookRecord] = field(default_factory=list)

    def alone(self, _: float) -> bool:
        return True

    def of(self, _: str) -> list[HookRecord]:
        return self.written

    def ran(self, operation: str) -> bool:
        return operation in self.before

    def confirmed(self, release: str) -> bool:
        return release in self.good

    def once(self, key: str) -> str | None:
        return self.keys.get(key)

    def write(self, record: HookRecord) -> None:
        self.written.append(record)


def _desk(records: Records) -> Desk:
    target = SimpleNamespace(
        read_row=lambda: SimpleNamespace(down=False, row=ROW),
        migration_status=lambda _: SINCE_THEN,
    )
    context = SimpleNamespace(environment="dev", target=target, now=lambda: AT)
    delivery = SimpleNamespace(state=BACK, release=SimpleNamespace(id="r-old", version="1"))
    return Desk(*cast(Any, (context, delivery, records, None)))


def test_what_was_active_before_may_come_back_on_the_newer_schema() -> None:
    records = Records(before={"promotion-1"}, good={"r-old"})
    written = run_hook(_desk(records), "guard")
    assert (written.status, written.operation) == (hook.SUCCEEDED, "promotion-1-8")


def test_it_may_be_named_by_an_operation_that_only_gave_another_release_back() -> None:
    records = Records(good={"r-old"})
    written = run_hook(_desk(records), "guard")
    assert (written.status, written.operation) == (hook.SUCCEEDED, "promotion-1")


@pytest.mark.parametrize("before", [set(), {"promotion-1"}], ids=["never ran", "never good"])
def test_what_was_never_good_here_needs_every_migration(before: set[str]) -> None:
    records = Records(before=before)
    with pytest.raises(Refused, match="lacks r0002"):
        run_hook(_desk(records), "guard")
    assert [one.status for one in records.written] == [hook.REFUSED]


def test_a_way_that_a_contract_migration_closed_stays_closed() -> None:
    records = Records(good={"r-old"}, keys={closed_key("r-old"): "contract-1"})
    with pytest.raises(Refused, match="closed by a contract migration"):
        run_hook(_desk(records), "guard")
