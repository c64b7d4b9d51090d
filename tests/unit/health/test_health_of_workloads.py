"""Deployment, ReplicaSet, StatefulSet, DaemonSet: every branch, with Argo CD's words."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.engine.health.assess import assess

WAITING = "Waiting for rollout to finish:"


def judged(kind: str, spec: dict[str, Any], status: dict[str, Any] | None) -> tuple[str, str]:
    manifest = {
        "apiVersion": "apps/v1",
        "kind": kind,
        "metadata": {"name": "web", "generation": 2},
        "spec": spec,
        "status": status,
    }
    found = assess(manifest)
    assert found is not None
    return found.status.value, found.message


def seen(**status: Any) -> dict[str, Any]:
    return {"observedGeneration": 2, **status}


def condition(kind: str, **more: str) -> dict[str, Any]:
    return {"conditions": [{"type": "Other", "reason": "x"}, {"type": kind, **more}]}


@pytest.mark.parametrize(
    ("spec", "status", "expected"),
    [
        ({"paused": True}, None, ("Suspended", "Deployment is paused")),
        (
            {"replicas": 1},
            {"observedGeneration": 1, "updatedReplicas": 1},
            (
                "Progressing",
                f"{WAITING} observed deployment generation less than desired generation",
            ),
        ),
        (
            {"replicas": 3},
            seen(**condition("Progressing", reason="ProgressDeadlineExceeded", status="False")),
            ("Degraded", 'Deployment "web" exceeded its progress deadline'),
        ),
        (
            {"replicas": 3},
            seen(updatedReplicas=1, replicas=4, **condition("Progressing", reason="x")),
            ("Progressing", f"{WAITING} 1 out of 3 new replicas have been updated..."),
        ),
        (
            {"replicas": 3},
            seen(updatedReplicas=3, replicas=5),
            ("Progressing", f"{WAITING} 2 old replicas are pending termination..."),
        ),
        (
            {"replicas": 3},
            seen(updatedReplicas=3, replicas=3, availableReplicas=2),
            ("Progressing", f"{WAITING} 2 of 3 updated replicas are available..."),
        ),
        (
            {"replicas": 3},
            seen(updatedReplicas=3, replicas=3, availableReplicas=3),
            ("Healthy", ""),
        ),
        ({"replicas": 0}, seen(), ("Healthy", "")),
        ({}, seen(), ("Healthy", "")),
    ],
)
def test_a_deployment(
    spec: dict[str, Any], status: dict[str, Any] | None, expected: tuple[str, str]
) -> None:
    assert judged("Deployment", spec, status) == expected


@pytest.mark.parametrize(
    ("spec", "status", "expected"),
    [
        (
            {"replicas": 1},
            {},
            (
                "Progressing",
                f"{WAITING} observed replica set generation less than desired generation",
            ),
        ),
        (
            {"replicas": 1},
            seen(**condition("ReplicaFailure", status="True", message="quota exceeded")),
            ("Degraded", "quota exceeded"),
        ),
        (
            {"replicas": 2},
            seen(availableReplicas=1, **condition("ReplicaFailure", status="False")),
            ("Progressing", f"{WAITING} 1 out of 2 new replicas are available..."),
        ),
        ({"replicas": 2}, seen(availableReplicas=2), ("Healthy", "")),
    ],
)
def test_a_replica_set(
    spec: dict[str, Any], status: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert judged("ReplicaSet", spec, status) == expected


ROLLING = {"type": "RollingUpdate"}
NEW = {"currentRevision": "db-1", "updateRevision": "db-2", "updatedReplicas": 1}


@pytest.mark.parametrize(
    ("spec", "status", "expected"),
    [
        ({}, {}, ("Progressing", "Waiting for statefulset spec update to be observed...")),
        (
            {},
            {"observedGeneration": 1},
            ("Progressing", "Waiting for statefulset spec update to be observed..."),
        ),
        (
            {"replicas": 3},
            seen(readyReplicas=1),
            ("Progressing", "Waiting for 2 pods to be ready..."),
        ),
        (
            {"replicas": 3, "updateStrategy": {**ROLLING, "rollingUpdate": {"partition": 1}}},
            seen(readyReplicas=3, updatedReplicas=1),
            (
                "Progressing",
                "Waiting for partitioned roll out to finish: 1 out of 2 new pods have been updated...",
            ),
        ),
        (
            {"replicas": 3, "updateStrategy": {**ROLLING, "rollingUpdate": {"partition": 1}}},
            seen(readyReplicas=3, updatedReplicas=2),
            ("Healthy", "partitioned roll out complete: 2 new pods have been updated..."),
        ),
        (
            {"replicas": 1, "updateStrategy": {**ROLLING, "rollingUpdate": {}}},
            seen(readyReplicas=1, **NEW),
            ("Healthy", "partitioned roll out complete: 1 new pods have been updated..."),
        ),
        (
            {"replicas": 1, "updateStrategy": {"type": "OnDelete"}},
            seen(readyReplicas=1, **NEW),
            ("Healthy", "statefulset has 1 ready pods"),
        ),
        (
            {"replicas": 2, "updateStrategy": ROLLING},
            seen(readyReplicas=2, **NEW),
            (
                "Progressing",
                "waiting for statefulset rolling update to complete 1 pods at revision db-2...",
            ),
        ),
        (
            {"replicas": 2, "updateStrategy": ROLLING},
            seen(readyReplicas=2, currentReplicas=2, currentRevision="a", updateRevision="a"),
            ("Healthy", "statefulset rolling update complete 2 pods at revision a..."),
        ),
    ],
)
def test_a_stateful_set(
    spec: dict[str, Any], status: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert judged("StatefulSet", spec, status) == expected


@pytest.mark.parametrize(
    ("spec", "status", "expected"),
    [
        (
            {},
            {"observedGeneration": 1},
            (
                "Progressing",
                f"{WAITING} observed daemon set generation less than desired generation",
            ),
        ),
        (
            {"updateStrategy": {"type": "OnDelete"}},
            seen(updatedNumberScheduled=1, desiredNumberScheduled=3),
            ("Healthy", "daemon set 1 out of 3 new pods have been updated"),
        ),
        (
            {},
            seen(updatedNumberScheduled=1, desiredNumberScheduled=3),
            (
                "Progressing",
                'Waiting for daemon set "web" rollout to finish: 1 out of 3 new pods have been updated...',
            ),
        ),
        (
            {},
            seen(updatedNumberScheduled=3, desiredNumberScheduled=3, numberAvailable=2),
            (
                "Progressing",
                'Waiting for daemon set "web" rollout to finish: 2 of 3 updated pods are available...',
            ),
        ),
        (
            {},
            seen(updatedNumberScheduled=3, desiredNumberScheduled=3, numberAvailable=3),
            ("Healthy", ""),
        ),
    ],
)
def test_a_daemon_set(
    spec: dict[str, Any], status: dict[str, Any], expected: tuple[str, str]
) -> None:
    assert judged("DaemonSet", spec, status) == expected


@pytest.mark.parametrize("replicas", [float("inf"), float("nan"), 1.5, True, "2"])
def test_a_number_that_is_none_makes_a_deployment_unknown(replicas: Any) -> None:
    status, message = judged("Deployment", {"replicas": replicas}, seen())
    assert status == "Unknown"
    assert "not a whole number" in message


def test_a_whole_number_may_be_written_with_a_point() -> None:
    assert judged("Deployment", {"replicas": 2.0}, seen(updatedReplicas=1))[0] == "Progressing"
