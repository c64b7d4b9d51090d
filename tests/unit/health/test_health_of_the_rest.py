"""Network, scaling, storage, definitions, custom resources, and what is no object at all."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipelines.engine.health.assess import CHECKS, assess

FINALIZER = "argocd.argoproj.io/hook-finalizer"
V1 = "autoscaling.alpha.kubernetes.io/conditions"


def judged(version: str, kind: str, status: Any = None, **more: Any) -> tuple[str, str]:
    found = assess({
        "apiVersion": version, "kind": kind, "metadata": {"name": "x"}, "status": status, **more,
    })  # fmt: skip
    assert found is not None
    return found.status.value, found.message


def conditions(*rows: tuple[str, str, str, str]) -> dict[str, Any]:
    """Rows of type, status, reason, message."""
    names = ("type", "status", "reason", "message")
    return {"conditions": [dict(zip(names, row, strict=True)) for row in rows]}


ADDRESS = {"loadBalancer": {"ingress": [{"ip": "1.2.3.4"}]}}


@pytest.mark.parametrize(
    ("kind", "status", "state"),
    [
        ("ClusterIP", None, "Healthy"),
        ("ExternalName", None, "Healthy"),
        ("LoadBalancer", ADDRESS, "Healthy"),
        ("LoadBalancer", {"loadBalancer": {}}, "Progressing"),
        ("LoadBalancer", None, "Progressing"),
    ],
)
def test_a_service(kind: str, status: Any, state: str) -> None:
    assert judged("v1", "Service", status, spec={"type": kind}) == (state, "")


@pytest.mark.parametrize("version", ["networking.k8s.io/v1", "extensions/v1beta1"])
def test_an_ingress_waits_for_its_address(version: str) -> None:
    assert judged(version, "Ingress", ADDRESS) == ("Healthy", "")
    for status in (None, {}, {"loadBalancer": {"ingress": []}}):
        assert judged(version, "Ingress", status) == ("Progressing", "")


@pytest.mark.parametrize(
    ("phase", "state"),
    [("Bound", "Healthy"), ("Pending", "Progressing"), ("Lost", "Degraded"), ("", "Unknown")],
)
def test_a_volume_claim(phase: str, state: str) -> None:
    assert judged("v1", "PersistentVolumeClaim", {"phase": phase}) == (state, "")


DEGRADED = [
    ("AbleToScale", "FailedGetScale"), ("AbleToScale", "FailedUpdateScale"),
    ("ScalingActive", "FailedGetResourceMetric"), ("ScalingActive", "FailedGetObjectMetric"),
    ("ScalingActive", "FailedGetPodsMetric"), ("ScalingActive", "FailedGetExternalMetric"),
    ("ScalingActive", "FailedComputeMetricsReplicas"), ("ScalingActive", "InvalidSelector"),
]  # fmt: skip


@pytest.mark.parametrize(
    "version", ["autoscaling/v2", "autoscaling/v2beta2", "autoscaling/v2beta1"]
)
@pytest.mark.parametrize(("kind", "reason"), DEGRADED)
def test_an_autoscaler_that_cannot_scale_is_degraded_whatever_else_is_well(
    version: str, kind: str, reason: str
) -> None:
    status = conditions(("AbleToScale", "True", "Ready", "a"), (kind, "False", reason, "why"))
    assert judged(version, "HorizontalPodAutoscaler", status) == ("Degraded", "why")


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("AbleToScale", "True", "x", "able")], ("Healthy", "able")),
        ([("ScalingActive", "True", "x", "-"), ("ScalingLimited", "True", "y", "few")],
         ("Healthy", "few")),
        ([("AbleToScale", "False", "x", "m")], ("Progressing", "Waiting to Autoscale")),
        ([], ("Progressing", "Waiting to Autoscale")),
    ],
)  # fmt: skip
def test_an_autoscaler(rows: list[tuple[str, str, str, str]], expected: tuple[str, str]) -> None:
    status = conditions(*rows)
    assert judged("autoscaling/v2", "HorizontalPodAutoscaler", status) == expected
    note = {"name": "x", "annotations": {V1: json.dumps(status["conditions"])}}
    old = judged("autoscaling/v1", "HorizontalPodAutoscaler", None, metadata=note)
    assert old == expected


def test_an_old_autoscaler_without_or_with_unreadable_conditions() -> None:
    kind = ("autoscaling/v1", "HorizontalPodAutoscaler")
    assert judged(*kind) == ("Progressing", "Waiting to Autoscale")
    state, message = judged(*kind, metadata={"annotations": {V1: "{"}})
    assert state == "Unknown"
    assert message.startswith("failed to convert conditions annotation to typed: ")
    endless = {"annotations": {V1: "[" * 100_000}}
    assert judged(*kind, metadata=endless)[0] == "Unknown"
    assert judged("autoscaling/v3", kind[1]) == (
        "Unknown", "unsupported HPA GVK: autoscaling/v3, Kind=HorizontalPodAutoscaler",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], ("Progressing", "Waiting for status")),
        ([("D", "True", "SufficientPods", "")],
         ("Healthy", "PodDisruptionBudget has SufficientPods")),
        ([("D", "False", "InsufficientPods", "")],
         ("Healthy", "PodDisruptionBudget has InsufficientPods")),
        ([("D", "False", "SyncFailed", "")], ("Degraded", "PodDisruptionBudget has SyncFailed")),
    ],
)  # fmt: skip
def test_a_disruption_budget(
    rows: list[tuple[str, str, str, str]], expected: tuple[str, str]
) -> None:
    assert judged("policy/v1", "PodDisruptionBudget", conditions(*rows)) == expected


@pytest.mark.parametrize("version", ["v1", "v1beta1"])
def test_an_api_service(version: str) -> None:
    kind = (f"apiregistration.k8s.io/{version}", "APIService")
    assert judged(*kind) == ("Progressing", "Waiting to be processed")
    up = conditions(("Available", "True", "Passed", "all checks passed"))
    assert judged(*kind, up) == ("Healthy", "Passed: all checks passed")
    down = conditions(("Available", "False", "FailedDiscoveryCheck", "no response"))
    assert judged(*kind, down) == ("Progressing", "FailedDiscoveryCheck: no response")


ESTABLISHED = ("Established", "True", "InitialNamesAccepted", "ok")


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], ("Progressing", "Status conditions not found")),
        ([("Terminating", "True", "x", "m")], ("Progressing", "CRD is terminating: m")),
        ([("NamesAccepted", "False", "x", "taken"), ESTABLISHED],
         ("Degraded", "CRD names have not been accepted: taken")),
        ([ESTABLISHED, ("NonStructuralSchema", "True", "x", "bad")],
         ("Degraded", "Schema violations found: bad")),
        ([("Established", "False", "Installing", "m")], ("Progressing", "CRD is being installed")),
        ([("Established", "False", "NotAccepted", "m")], ("Degraded", "CRD is not established")),
        ([("NamesAccepted", "True", "x", "m")], ("Degraded", "CRD is not established")),
        ([ESTABLISHED], ("Healthy", "CRD is healthy")),
    ],
)  # fmt: skip
def test_a_definition(rows: list[tuple[str, str, str, str]], expected: tuple[str, str]) -> None:
    kind = ("apiextensions.k8s.io/v1", "CustomResourceDefinition")
    assert judged(*kind, conditions(*rows)) == expected


def test_what_is_being_deleted_is_progressing_before_any_check() -> None:
    gone = {"name": "x", "deletionTimestamp": "2026-01-01T00:00:00Z"}
    for group, kind in [*CHECKS, ("", "ConfigMap")]:
        version = f"{group}/v1" if group else "v1"
        assert judged(version, kind, metadata=gone) == ("Progressing", "Pending deletion")


def test_a_hook_that_is_being_deleted_is_judged_all_the_same() -> None:
    kept = {"deletionTimestamp": "2026-01-01T00:00:00Z", "finalizers": [FINALIZER]}
    done = conditions(("Complete", "True", "x", "done"))
    assert judged("batch/v1", "Job", done, metadata=kept) == ("Healthy", "done")


@pytest.mark.parametrize(
    ("version", "kind"),
    [("v1", "ConfigMap"), ("argoproj.io/v1alpha1", "Application"), ("v1", "Deployment"),
     ("serving.example.dev/v1", "Service"), (None, "Pod"), ("v1", None), (7, ["x"])],
)  # fmt: skip
def test_a_kind_without_a_check_has_no_state(version: Any, kind: Any) -> None:
    assert assess({"apiVersion": version, "kind": kind, "metadata": {"name": "x"}}) is None


@pytest.mark.parametrize(("group", "kind"), CHECKS)
@pytest.mark.parametrize(
    "broken",
    ["text", 7, [1], {"conditions": "x"}, {"conditions": [1]}, {"phase": [], "conditions": {}},
     {"observedGeneration": "two", "replicas": True, "loadBalancer": 1, "parents": 1}],
)  # fmt: skip
def test_an_object_that_cannot_be_understood_is_never_an_error(
    group: str, kind: str, broken: Any
) -> None:
    for version in ("v1", "v2"):
        body = {"apiVersion": f"{group}/{version}" if group else version, "kind": kind}
        found = assess({**body, "metadata": {"generation": 1}, "spec": broken, "status": broken})
        assert found is None or found.message is not None
        assert assess({**body, "metadata": broken if isinstance(broken, str) else {}}) is not None


@pytest.mark.parametrize(
    ("kind", "status", "expected"),
    [
        ("apps/v1 Deployment", {"replicas": "three"}, "Unknown"),
        ("apps/v1beta1 Deployment", {}, "Unknown"),
        ("apiextensions.k8s.io/v1 CustomResourceDefinition", None, "Unknown"),
    ],
)
def test_what_cannot_be_judged_is_unknown_with_a_reason(
    kind: str, status: Any, expected: str
) -> None:
    version, name = kind.split()
    state, message = judged(version, name, status)
    assert state == expected
    assert message
