"""Whose health decides how a sync ends: what is waited for, and nothing else."""

from __future__ import annotations

import pytest

from pipelines.engine.sync.moves import Finished, Limits
from pipelines.model.resource import Resource
from tests.unit.sync.objects import SETTINGS, live_of, thing
from tests.unit.sync.simulation import COMPLETE, Simulation

BLIND = {"conditions": [{"type": "ScalingActive", "status": "False",
                         "reason": "FailedGetResourceMetric", "message": "no metrics"}]}  # fmt: skip
ASIDE = Limits(dry_run=False, wait_for_health=False)
"""As slots are synced: whether they get ready is asked by the step that verifies them."""
USUAL = Limits(dry_run=False)
TO_THE_END = Limits(dry_run=False, wait_for_last=True)


def scaler(wave: int | None = None, **body: object) -> Resource:
    spec = {"maxReplicas": 3}
    return thing("HorizontalPodAutoscaler", "h", api="autoscaling/v2", wave=wave, spec=spec, **body)


def service(port: int, wave: int | None = None) -> Resource:
    return thing("Service", "s", wave=wave, spec={"ports": [{"port": port}]})


def beside_one_that_is_degraded(
    *more: Resource, limits: Limits, wave: int = 0
) -> tuple[Simulation, Finished]:
    """A port of a Service changes; an autoscaler that is as desired finds no metrics."""
    cluster = Simulation(live=live_of(scaler(status=BLIND), service(80, wave)))
    cluster.becomes["last"] = COMPLETE
    return cluster, cluster.sync([scaler(), service(81, wave), *more], SETTINGS, limits)


@pytest.mark.parametrize("limits", [USUAL, ASIDE])
def test_one_that_is_degraded_does_not_fail_the_last_step(limits: Limits) -> None:
    cluster, end = beside_one_that_is_degraded(limits=limits)
    assert end.phase == "Succeeded"
    assert cluster.log == ["apply s"]
    assert cluster.waits == []


def test_what_is_applied_last_and_degraded_at_once_does_not_fail_either() -> None:
    cluster = Simulation(live=live_of(scaler(status=BLIND)))
    changed = thing("HorizontalPodAutoscaler", "h", api="autoscaling/v2", spec={"maxReplicas": 4})
    assert cluster.sync([changed], SETTINGS, USUAL).phase == "Succeeded"


def test_where_the_end_is_waited_for_one_that_is_degraded_fails_the_sync() -> None:
    _, end = beside_one_that_is_degraded(limits=TO_THE_END)
    assert end.phase == "Failed"
    assert "no metrics" in end.message


def test_one_that_is_degraded_fails_the_sync_before_the_next_wave() -> None:
    cluster, end = beside_one_that_is_degraded(limits=USUAL, wave=1)
    assert end.phase == "Failed"
    assert "no metrics" in end.message
    assert cluster.log == []


def test_one_that_is_degraded_fails_the_sync_before_a_hook_after_it() -> None:
    cluster, end = beside_one_that_is_degraded(thing("Job", "last", hook="PostSync"), limits=USUAL)
    assert end.phase == "Failed"
    assert cluster.log == ["apply s"]


def test_where_health_is_not_waited_for_it_fails_no_wave_and_no_hook() -> None:
    last = thing("Job", "last", hook="PostSync")
    cluster, end = beside_one_that_is_degraded(last, limits=ASIDE, wave=1)
    assert end.phase == "Succeeded"
    assert cluster.log == ["apply s", "apply last", "release last"]
    assert set(cluster.waits) == {"waiting for completion of hook batch/Job/last"}


def test_what_is_not_waited_for_is_neither_read_again_nor_missed_when_it_vanishes() -> None:
    def vanish(cluster: Simulation) -> None:
        if cluster.now == 4:
            cluster.live.pop(gone.key, None)

    gone = thing(name="gone")
    cluster = Simulation(becomes={"last": COMPLETE}, takes={"last": 9})
    desired = [gone, thing("Job", "last", hook="PostSync")]
    assert cluster.sync(desired, SETTINGS, ASIDE, vanish).phase == "Succeeded"
    assert "look gone" not in cluster.log


def test_an_object_that_is_refused_fails_the_last_step_whatever_is_waited_for() -> None:
    cluster = Simulation(
        live=live_of(scaler(status=BLIND), service(80)), refuses={("apply", "s"): "no such port"}
    )
    end = cluster.sync([scaler(), service(81)], SETTINGS, ASIDE)
    assert end.phase == "Failed"
    assert (
        end.message == "one or more objects failed to apply, reason: Service shop/s: no such port"
    )
