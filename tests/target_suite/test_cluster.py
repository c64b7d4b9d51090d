"""What only a cluster has: other actors on the same objects, replicas, Services."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from pipelines.model.errors import Refused, Unavailable
from pipelines.model.live import Health
from pipelines.model.release import Release
from pipelines.model.resource import ResourceKey
from pipelines.model.slots import Slot
from pipelines.targets.kubernetes.cluster import TRACKING
from pipelines.targets.kubernetes.target import KubernetesTarget
from tests.cluster.standing import Standing
from tests.kubernetes.trouble_on_a_cluster import frozen
from tests.target_suite.waiting import get, healed, staged, until

pytestmark = pytest.mark.cluster_only


def deployment(target: KubernetesTarget, process: str = "web") -> ResourceKey:
    name = f"echo-blue-{process}"
    return ResourceKey("apps", "Deployment", target.place.namespace, name)


def scale(target: KubernetesTarget, replicas: int) -> None:
    patch = {"spec": {"replicas": replicas}}
    target.cluster.patch(deployment(target), patch, kind="merge", manager="kubectl-scale")


def test_a_slot_that_another_application_tracks_is_refused_before_anything_is_changed(
    target: KubernetesTarget, first: Release, second: Release
) -> None:
    staged(target, Slot.BLUE, first)
    key = deployment(target)
    foreign = f"theirs:apps/Deployment:{key.namespace}/{key.name}"
    patch = {"metadata": {"annotations": {TRACKING: foreign}}}
    target.cluster.patch(key, patch, kind="merge", manager="argocd-controller")
    try:
        with pytest.raises(Refused, match="belongs to the Application theirs"):
            target.stage(Slot.BLUE, second)
        assert target.observe_slot(Slot.BLUE).release == first.id
    finally:
        target.cluster.delete(key)


@pytest.mark.parametrize("program", ["kube-controller-manager", "kube-proxy"])
def test_connections_that_follow_late_are_no_fault_of_the_slot(
    target: KubernetesTarget,
    first: Release,
    second: Release,
    real_cluster: Standing,
    program: str,
) -> None:
    staged(target, Slot.BLUE, first)
    staged(target, Slot.GREEN, second)
    assert target.set_traffic(Slot.BLUE, live=True, wait_seconds=5)
    assert not target.follows_late(Slot.BLUE)
    with frozen(real_cluster, program):
        assert not target.set_traffic(Slot.GREEN, live=True, wait_seconds=1)
        assert target.follows_late(Slot.GREEN)
        assert json.loads(get(target.live_url() + "/version"))["slot"] == "blue"
    assert target.set_traffic(Slot.GREEN, live=True, wait_seconds=20)
    assert not target.follows_late(Slot.GREEN)


def test_a_slot_scaled_to_0_by_hand_is_drift_and_one_stopped_on_purpose_is_not(
    target: KubernetesTarget, first: Release
) -> None:
    staged(target, Slot.BLUE, first)
    scale(target, 0)
    assert target.observe_slot(Slot.BLUE).health is not Health.SUSPENDED
    (words,) = healed(target, Slot.BLUE)
    assert "/spec/replicas" in words
    assert "kubectl-scale" in words
    until(lambda: target.observe_slot(Slot.BLUE).health is Health.HEALTHY, 30, "healed")
    target.stop_slot(Slot.BLUE, kill=True)
    assert healed(target, Slot.BLUE) == ()
    assert target.observe_slot(Slot.BLUE).health is Health.SUSPENDED


def test_a_slot_is_staged_with_as_many_pods_as_the_active_one_has(
    target: KubernetesTarget, first: Release, second: Release
) -> None:
    staged(target, Slot.BLUE, first)
    scale(target, 2)
    assert healed(target, Slot.BLUE) == (), "more of them is an autoscaler's wish"
    until(lambda: target.observe_slot(Slot.BLUE).health is Health.HEALTHY, 30, "two pods")
    staged(target, Slot.GREEN, second)
    web = next(p for p in target.observe_slot(Slot.GREEN).processes if p.name == "web")
    assert web.instances == 2


def test_no_ensure_undoes_a_switch(
    target: KubernetesTarget, first: Release, second: Release
) -> None:
    staged(target, Slot.BLUE, first)
    staged(target, Slot.GREEN, second)
    target.set_traffic(Slot.GREEN, live=True, wait_seconds=10)
    target.services.apply_edge(first)
    row = target.read_row().row
    assert target.traffic() is (row.slot if row else Slot.GREEN)


def test_a_namespace_that_is_missing_is_named_with_who_makes_it(
    target: KubernetesTarget, first: Release
) -> None:
    elsewhere = replace(target.place, namespace="nowhere")
    made = KubernetesTarget(elsewhere, target.stock, target.adapters)
    with pytest.raises(Unavailable, match="no namespace nowhere"):
        made.ensure(first)
