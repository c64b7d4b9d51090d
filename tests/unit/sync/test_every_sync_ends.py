"""Whatever is desired and live, a sync ends, and another one then has nothing to do."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.engine.sync.moves import Limits
from pipelines.engine.sync.plan import plan
from pipelines.model.resource import Resource
from pipelines.model.sync import Action
from tests.unit.sync.objects import SETTINGS, live_of, thing
from tests.unit.sync.simulation import BROKEN, COMPLETE, READY, Simulation
from tests.unit.sync.test_properties_of_plans import ALLOWED, DESIRED, LIVE

ENDS = st.sampled_from((READY, COMPLETE, BROKEN))
WELL = READY | COMPLETE
NAMES = [*"abcdef", *(f"hook-{name}" for name in "abcdef")]


@settings(deadline=None)
@given(DESIRED, LIVE)
def test_a_sync_of_healthy_things_succeeds_and_converges(
    desired: list[Resource], live: list[Resource]
) -> None:
    calm = [
        Resource({**one.manifest, "status": WELL})
        for one in live
        if "Prune=confirm" not in one.annotations.values()
    ]
    cluster = Simulation(live=live_of(*calm), becomes=dict.fromkeys(NAMES, WELL))
    end = cluster.sync(desired, ALLOWED, Limits(operation_seconds=100, wait_for_last=True))
    assert end.phase == "Succeeded"
    again = plan(desired, cluster.live, ALLOWED)
    assert {step.action for step in again.steps} <= {Action.NOTHING, Action.HOOK, Action.SKIP}


@settings(deadline=None)
@given(
    DESIRED, LIVE,
    st.dictionaries(st.sampled_from(NAMES), ENDS),
    st.dictionaries(
        st.tuples(st.sampled_from(("dry-run", "apply", "delete", "release")), st.sampled_from(NAMES)),
        st.just("no"), max_size=3,
    ),
    st.sets(st.sampled_from(NAMES), max_size=2),
)  # fmt: skip
def test_a_sync_ends_whatever_breaks(
    desired: list[Resource],
    live: list[Resource],
    becomes: dict[str, dict[str, object]],
    refuses: dict[tuple[str, str], str],
    keeps: set[str],
) -> None:
    cluster = Simulation(live=live_of(*live), becomes=becomes, refuses=refuses, keeps=keeps)
    end = cluster.sync(desired, ALLOWED, Limits(operation_seconds=50))
    assert end.phase in ("Succeeded", "Failed", "Error")
    assert cluster.machine
    failed = [one for one in cluster.machine.results() if one.code == "SyncFailed"]
    assert end.phase != "Succeeded" or not failed


@settings(deadline=None)
@given(DESIRED)
def test_phases_and_waves_are_applied_in_order(desired: list[Resource]) -> None:
    cluster = Simulation(becomes=dict.fromkeys(NAMES, WELL))
    cluster.sync(desired, replace(ALLOWED, prune=False), Limits(dry_run=False))
    applied = [line.removeprefix("apply ") for line in cluster.log if line.startswith("apply")]
    made = plan(desired, {}, SETTINGS)
    wanted = [step.key.name for step in made.steps if step.phase != "SyncFail"]
    assert applied == [name for name in wanted if name]


def test_five_thousand_objects_are_not_slow() -> None:
    cluster = Simulation()
    desired = [thing(name=f"c{number}", wave=number % 3) for number in range(5000)]
    assert cluster.sync(desired, SETTINGS).phase == "Succeeded"
    assert len(cluster.live) == 5000
