"""Kinds that Argo CD ships rules for beside Kubernetes' own."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.engine.health.assess import assess


def judged(version: str, kind: str, status: Any, **more: Any) -> tuple[str, str]:
    found = assess({
        "apiVersion": version, "kind": kind, "metadata": {"name": "x", "generation": 2},
        "status": status, **more,
    })  # fmt: skip
    assert found is not None
    return found.status.value, found.message


def conditions(*rows: tuple[str, str, str]) -> list[dict[str, str]]:
    return [dict(zip(("type", "status", "message"), row, strict=True)) for row in rows]


def rollout(status: Any, **spec: Any) -> tuple[str, str]:
    return judged("argoproj.io/v1alpha1", "Rollout", status, spec=spec)


def test_a_rollout_says_its_own_phase() -> None:
    for phase, state in [("Paused", "Suspended"), ("Healthy", "Healthy"), ("Degraded", "Degraded")]:
        status = {"observedGeneration": "2", "phase": phase, "message": "m"}
        assert rollout(status) == (state, "m")
    assert rollout({"phase": "Odd"}) == ("Unknown", "Lua returned an invalid health status")


@pytest.mark.parametrize("status", [None, {"observedGeneration": "1", "phase": "Healthy"}])
def test_a_rollout_that_was_not_looked_at_is_progressing(status: Any) -> None:
    assert rollout(status) == ("Progressing", "Waiting for rollout spec update to be observed")


def old(**status: Any) -> dict[str, Any]:
    counted = {"replicas": 1, "updatedReplicas": 1, "availableReplicas": 1}
    return {"observedGeneration": "hash", "currentPodHash": "new", **counted, **status}


BLUE, CANARY = {"strategy": {"blueGreen": {}}}, {"strategy": {"canary": {}}}
FINISH = "Waiting for roll out to finish:"


@pytest.mark.parametrize(
    ("status", "spec", "expected"),
    [
        (old(conditions=conditions(("InvalidSpec", "True", "bad"))), BLUE, ("Degraded", "bad")),
        (old(pauseConditions=[{}]), BLUE, ("Suspended", "Rollout is paused")),
        (old(), {**BLUE, "paused": True}, ("Suspended", "Rollout is paused")),
        (old(currentPodHash=None), BLUE, (
            "Progressing", "Waiting for rollout to finish: status has not been reconciled.")),
        (old(), {**BLUE, "replicas": 2}, (
            "Progressing", f"{FINISH} More replicas need to be updated")),
        (old(availableReplicas=0), BLUE, (
            "Progressing", f"{FINISH} updated replicas are still becoming available")),
        (old(), BLUE, ("Progressing", "active service cutover pending")),
        (old(blueGreen={"activeSelector": "new"}, stableRS="old"), BLUE, (
            "Progressing", "waiting for analysis to complete")),
        (old(blueGreen={"activeSelector": "new"}, stableRS="new"), BLUE, ("Healthy", "")),
        (old(replicas=2), CANARY, (
            "Progressing", f"{FINISH} old replicas are pending termination")),
        (old(), CANARY, ("Progressing", "Waiting for rollout to finish steps")),
        (old(canary={"stableRS": "new"}), CANARY, ("Healthy", "")),
    ],
)  # fmt: skip
def test_a_rollout_of_an_old_controller(status: Any, spec: Any, expected: tuple[str, str]) -> None:
    assert rollout(status, **spec) == expected


def test_a_certificate_that_is_being_issued_is_not_degraded_yet() -> None:
    kind = ("cert-manager.io/v1", "Certificate")
    failed = ("Ready", "False", "expired")
    assert judged(*kind, None) == ("Progressing", "Waiting for certificate")
    assert judged(*kind, {"conditions": conditions(failed)}) == ("Degraded", "expired")
    both = conditions(failed, ("Issuing", "True", "issuing"))
    assert judged(*kind, {"conditions": both}) == ("Progressing", "issuing")
    ready = conditions(("Issuing", "False", "-"), ("Ready", "True", "up to date"))
    assert judged(*kind, {"conditions": ready}) == ("Healthy", "up to date")


def test_a_postgres_cluster() -> None:
    kind = ("postgresql.cnpg.io/v1", "Cluster")

    def phase(text: str) -> tuple[str, str]:
        status = {"phase": text, "phaseReason": "why", "conditions": conditions()}
        return judged(*kind, status)

    assert judged(*kind, None) == ("Progressing", "")
    assert phase("Cluster in healthy state") == ("Healthy", "why")
    assert phase("Setting up primary") == ("Progressing", "why")
    assert phase("Failing over") == ("Degraded", "why")
    assert phase("Unable to create required cluster objects") == ("Suspended", "why")
    assert phase("something new") == ("Unknown", "why")
    asleep = {"conditions": conditions(("cnpg.io/hibernation", "True", "hibernated"))}
    assert judged(*kind, asleep) == ("Suspended", "hibernated")
    waking = {"conditions": conditions(("cnpg.io/hibernation", "False", "waking"))}
    assert judged(*kind, waking) == ("Degraded", "waking")
    fenced = {"annotations": {"cnpg.io/reconciliationLoop": "disabled"}}
    found = judged(*kind, {"phase": "Failing over", "conditions": []}, metadata=fenced)
    assert found == ("Suspended", "Cluster reconciliation is suspended")


def test_a_gateway() -> None:
    kind = ("gateway.networking.k8s.io/v1", "Gateway")
    good = conditions(("Accepted", "True", "m"), ("Programmed", "True", "m"))
    bad = conditions(("Accepted", "False", "no class"))
    assert judged(*kind, None) == ("Progressing", "Waiting for Gateway status")
    assert judged(*kind, {"conditions": good}) == ("Healthy", "Gateway is healthy")
    assert judged(*kind, {"conditions": bad}) == ("Degraded", "no class")
    late = {"conditions": [{"type": "Programmed", "status": "Unknown"}]}
    assert judged(*kind, late) == ("Progressing", "Gateway is still being programmed")
    listener = {"conditions": good, "listeners": [{"conditions": bad}]}
    assert judged(*kind, listener) == ("Degraded", "Listener: no class")


def test_a_route_is_judged_by_what_is_said_of_its_newest_version() -> None:
    kind = ("gateway.networking.k8s.io/v1", "HTTPRoute")

    def parent(generation: int, status: str) -> dict[str, Any]:
        condition = {
            "type": "Accepted", "status": status, "observedGeneration": generation, "message": "m",
        }  # fmt: skip
        return {"parentRef": {"name": "edge"}, "conditions": [condition]}

    assert judged(*kind, {}) == ("Progressing", "Waiting for HTTPRoute status")
    old = {"parents": [parent(1, "False")]}
    assert judged(*kind, old) == ("Progressing", "Waiting for HTTPRoute status")
    assert judged(*kind, {"parents": [parent(1, "False"), parent(2, "True")]}) == (
        "Healthy", "HTTPRoute is healthy",
    )  # fmt: skip
    assert judged(*kind, {"parents": [parent(2, "False")]}) == ("Degraded", "Parent edge: m")
