"""Which objects are asked about before anything is written."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.engine.sync.moves import Do, Method, TaskId, Verb
from pipelines.model.resource import Resource
from pipelines.model.sync import Action, PlanStep, SyncPhase
from pipelines.targets.kubernetes.dry_run import DryRuns


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
