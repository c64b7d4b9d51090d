"""What a sync says of several attempts."""

from __future__ import annotations

from typing import Any, cast

import pytest

from pipelines.model.errors import Refused, SlipwayError, Unavailable
from pipelines.model.resource import Resource, ResourceKey
from pipelines.model.sync import Retry, SyncOutcome, SyncSettings
from pipelines.targets.kubernetes.cluster import TRACKING
from pipelines.targets.kubernetes.sync_run import Syncer
from tests.unit.kubernetes.memory import MemoryCluster, config, refused

SETTINGS = SyncSettings("shop", "shop", prune=True, retry=Retry(limit=2, seconds=0.01))
TAKEN = config("second", a="1")
FOREIGN = {TRACKING: "bank:/ConfigMap:shop/second"}


def synced(cluster: MemoryCluster, desired: list[Resource]) -> SyncOutcome:
    syncer = Syncer(cast(Any, cluster), SETTINGS)
    try:
        return syncer.sync(desired)
    finally:
        syncer.close()


def codes(outcome: SyncOutcome) -> dict[str, str]:
    return {one.key.name: str(one.code) for one in outcome.results}


class BetweenAttempts(MemoryCluster):
    """The first write of `second` fails; planning once more meets `error`."""

    def __init__(self, error: SlipwayError) -> None:
        super().__init__()
        self.error: SlipwayError | None = error
        self.before = self.fails
        self.failed = False

    def fails(self, verb: str, key: ResourceKey) -> None:
        if verb == "apply" and key.name == "second":
            self.failed = True
            raise refused("Conflict", 409)

    def kinds(self, *, refresh: bool = False) -> Any:
        if self.failed and self.error:
            raise self.error
        return super().kinds(refresh=refresh)


@pytest.mark.parametrize(
    ("error", "attempts", "away"),
    [
        (Refused("second belongs to bank"), 2, False),
        (refused("Forbidden"), 3, False),
        (Unavailable("the API server is away"), 3, True),
    ],
)
def test_what_the_first_attempt_did_is_told_when_no_second_can_be_planned(
    error: SlipwayError, attempts: int, away: bool
) -> None:
    cluster = BetweenAttempts(error)
    outcome = synced(cluster, [config("first", a="1"), config("second", a="1")])
    assert codes(outcome) == {"first": "Synced", "second": "SyncFailed"}
    assert outcome.phase == "Failed"
    assert outcome.message.count(error.message) == 1
    assert "one or more objects failed to apply" in outcome.message
    assert (outcome.details["attempts"], outcome.details["away"]) == (attempts, away)


def test_a_sync_that_cannot_be_planned_at_all_is_raised() -> None:
    cluster = MemoryCluster()
    cluster.by_hand(TAKEN, annotations=FOREIGN)
    with pytest.raises(Refused, match="second"):
        synced(cluster, [config("first", a="1"), TAKEN])
    assert cluster.log == []


def test_what_an_earlier_attempt_pruned_is_told_after_the_next_one() -> None:
    cluster, tries = MemoryCluster(), list[str]()

    def fails_once(verb: str, key: ResourceKey) -> None:
        if verb == "apply" and key.name == "second":
            tries.append(verb)
            if len(tries) == 1:
                raise refused("Conflict", 409)

    cluster.by_hand(config("gone"), annotations={TRACKING: "shop:/ConfigMap:shop/gone"})
    cluster.before = fails_once
    outcome = synced(cluster, [config("second", a="1")])
    assert outcome.phase == "Succeeded"
    assert outcome.details["attempts"] == 2
    assert codes(outcome) == {"gone": "Pruned", "second": "Synced"}
