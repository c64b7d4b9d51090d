"""Which objects are asked about before anything is written."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.engine.sync.moves import Do, Method, TaskId, Verb
from pipelines.model.resource import Resource
from pipelines.model.sync import Action, PlanStep, SyncPhase
from pipelines.targets.kubernetes.dry_run import DryRuns, beside_itself


def question(
    kind: str = "ConfigMap",
    name: str = "one",
    *,
    action: Action = Action.CREATE,
    method: Method = Method.APPLY,
    **body: Any,
) -> Do:
    metadata = {"name": name, "namespace": "shop"}
    resource = Resource({"apiVersion": "v1", "kind": kind, "metadata": metadata, **body})
    step = PlanStep(SyncPhase.SYNC, 0, action, resource.key, resource, None)
    task = TaskId(resource.key, SyncPhase.SYNC)
    return Do(Verb.DRY_RUN, task, step, method=method, manifest=resource.manifest)


def decides_later(do: Do) -> bool:
    """After one of the kind was asked about already."""
    runs = DryRuns()
    assert runs.decides(question(do.task.key.kind, "first", data={}))
    return runs.decides(do)


def test_the_first_of_a_plain_kind_stands_for_all_of_them() -> None:
    assert not decides_later(question(data={"a": "1"}))
    assert not decides_later(question("Secret", stringData={"TOKEN": "x"}))
    assert not decides_later(question("ServiceAccount"))


def test_every_namespace_is_asked_about() -> None:
    runs = DryRuns()
    assert runs.decides(question())
    elsewhere = question()
    key = type(elsewhere.task.key)("", "ConfigMap", "bank", "one")
    other = Do(
        Verb.DRY_RUN, TaskId(key, SyncPhase.SYNC), elsewhere.step, manifest=elsewhere.manifest
    )
    assert runs.decides(other)


@pytest.mark.parametrize(
    "do",
    [
        question("Service"),
        question(action=Action.CHANGE),
        question(method=Method.CREATE),
        question(name="Not_A_Name"),
        question(name="-wrong"),
        question(data={"a key": "1"}),
        question(data={"a": 1}),
        question(data={"a": "x" * 2_000_000}),
        question(data=[]),
        question(dta={"a": "1"}),
        question("Secret", type="kubernetes.io/tls", stringData={"a": "b"}),
        question("Secret", data={"a": "not base64"}),
        question(binaryData={"a": "not base64"}),
    ],
)
def test_what_may_be_wrong_is_always_asked_about(do: Do) -> None:
    assert decides_later(do)


def service(**spec: Any) -> dict[str, Any]:
    metadata = {"name": "entry", "namespace": "shop"}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def test_a_service_made_anew_is_tried_without_what_its_former_self_holds() -> None:
    ports = [{"port": 80, "nodePort": 30080}, {"port": 81}]
    fixed = service(
        clusterIP="10.0.0.9", clusterIPs=["10.0.0.9"], healthCheckNodePort=30081, ports=ports,
        type="NodePort",
    )  # fmt: skip
    tried = beside_itself(fixed)
    assert tried["metadata"] == {"generateName": "entry", "namespace": "shop"}
    assert tried["spec"] == {"ports": [{"port": 80}, {"port": 81}], "type": "NodePort"}
    assert fixed["spec"]["ports"] == ports, "what is sent afterwards has them"


def test_a_service_without_an_address_is_tried_as_such() -> None:
    assert beside_itself(service(clusterIP="None", ports=[]))["spec"] == {
        "clusterIP": "None",
        "ports": [],
    }


@pytest.mark.parametrize("spec", [None, {}, {"ports": None}, {"ports": ["x"]}])
def test_a_wrong_service_is_tried_as_wrong_as_it_is(spec: Any) -> None:
    assert beside_itself({**service(), "spec": spec})["spec"] == spec


def test_another_kind_is_tried_with_all_that_it_has() -> None:
    other = {**service(clusterIP="10.0.0.9"), "kind": "Gateway", "apiVersion": "example.org/v1"}
    assert beside_itself(other)["spec"] == {"clusterIP": "10.0.0.9"}
