"""What becomes of self-heal when something unexpected happens to it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection
from typing import Any, cast

import pytest

from pipelines.model.resource import ResourceKey
from pipelines.model.sync import SyncPlan, SyncSettings
from pipelines.targets.kubernetes.live_cache import WatchedCache
from pipelines.targets.kubernetes.self_heal import Heal, Healer
from pipelines.targets.kubernetes.sync_run import Syncer
from tests.unit.kubernetes.memory import MemoryCluster, config, soon

KEY = config("values").key
NOTHING = SyncPlan((), SyncSettings("shop", "shop"))


def healer(
    plan: Callable[[Collection[ResourceKey]], SyncPlan], healed: Callable[[Heal], None]
) -> tuple[WatchedCache, Healer]:
    cache = WatchedCache(cast(Any, MemoryCluster()))
    return cache, Healer(cache, [KEY], plan, cast(Any, None), healed)


def test_an_unexpected_error_is_told_and_healing_goes_on() -> None:
    told: list[Heal] = []
    looks: list[int] = []

    def plan(keys: Collection[ResourceKey]) -> SyncPlan:
        looks.append(len(looks))
        if len(looks) == 1:
            raise KeyError("spec")
        return NOTHING

    _, made = healer(plan, told.append)
    try:
        assert soon(lambda: len(looks) > 1), "it looks again after a pause"
        assert not made.ended()
    finally:
        made.close()
    assert [(one.key, one.ok, one.message) for one in told] == [
        (KEY, False, "defect: KeyError: 'spec'")
    ]


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_healing_that_cannot_even_tell_of_it_says_that_it_has_ended() -> None:
    def nobody_listens(heal: Heal) -> None:
        raise BrokenPipeError

    def plan(keys: Collection[ResourceKey]) -> SyncPlan:
        raise KeyError("spec")

    _, made = healer(plan, nobody_listens)
    assert soon(made.ended)
    made.close()
    assert not made.ended(), "who is closed has not ended by itself"


def test_closing_ends_a_heal_that_runs_before_it_writes_more() -> None:
    cluster, told = MemoryCluster(), list[Heal]()
    names = [f"values-{number}" for number in range(40)]
    began, go = threading.Event(), threading.Event()

    def slow(verb: str, key: ResourceKey) -> None:
        began.set()
        assert go.wait(10)

    syncer = Syncer(cast(Any, cluster), SyncSettings("shop", "shop"), workers=1)
    cluster.before = slow
    made = syncer.heal([config(name, a="1") for name in names], told.append)
    assert began.wait(10)
    closing = threading.Thread(target=made.close)
    closing.start()
    assert soon(lambda: made._closed)
    assert closing.is_alive(), "a request is still under way"
    go.set()
    closing.join(10)
    assert not closing.is_alive()
    assert len(cluster.log) == 1, "what was under way, and nothing after it"
    cluster.by_hand(config("values-1", a="2"))
    syncer.close()
    assert len(cluster.log) == 1
    assert "healing was ended" in told[-1].message
