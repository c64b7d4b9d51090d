"""A map keeps each key it is given, whatever it holds; only fields of a type are dropped when empty."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.engine.difference.compare import changes


def made(kind: str, body: dict[str, Any], **metadata: Any) -> dict[str, Any]:
    version = "apps/v1" if kind == "Deployment" else "v1"
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "x", **metadata}, **body}


def pods(resources: Any = None, **spec: Any) -> dict[str, Any]:
    container = {"name": "web", **({"resources": resources} if resources else {})}
    body = {"containers": [container], **spec}
    return made("Deployment", {"spec": {"template": {"spec": body}}})


def widget(**spec: Any) -> dict[str, Any]:
    return {
        "apiVersion": "example.com/v1",
        "kind": "Widget",
        "metadata": {"name": "x"},
        "spec": {"template": "t", **spec},
    }


POD = "/spec/template/spec"
CPU = f"{POD}/containers/0/resources/limits/cpu"
MEMORY = {"memory": "1Gi"}
KEPT = {
    "data": (
        made("ConfigMap", {"data": {"k": "v", "FEATURE": ""}}),
        made("ConfigMap", {"data": {"k": "v"}}),
        "/data/FEATURE",
    ),
    "all data": (
        made("ConfigMap", {"data": {"FEATURE": ""}}),
        made("ConfigMap", {}),
        "/data",
    ),
    "label": (made("Pod", {}, labels={"x": ""}), made("Pod", {}, labels={}), "/metadata/labels/x"),
    "annotation": (
        made("Pod", {}, annotations={"x": ""}),
        made("Pod", {}),
        "/metadata/annotations",
    ),
    "label of a custom resource": (
        {**widget(), "metadata": {"name": "x", "labels": {"x": ""}}},
        widget(),
        "/metadata/labels",
    ),
    "node": (
        pods(nodeSelector={"a": "b", "gpu": ""}),
        pods(nodeSelector={"a": "b"}),
        f"{POD}/nodeSelector/gpu",
    ),
    "secret text": (
        made("Secret", {"stringData": {"a": "b", "c": ""}}),
        made("Secret", {"data": {"a": "Yg=="}}),
        "/data/c",
    ),
    "amount": (pods({"limits": {"cpu": 0, **MEMORY}}), pods({"limits": MEMORY}), CPU),
}


@pytest.mark.parametrize(("want", "live", "path"), KEPT.values(), ids=KEPT.keys())
def test_an_empty_value_that_a_map_would_keep_is_a_difference(
    want: dict[str, Any], live: dict[str, Any], path: str
) -> None:
    assert [change.path for change in changes(want, live)] == [path]


def test_an_empty_value_too_much_in_a_selector_is_a_difference() -> None:
    want, live = (
        made("Deployment", {"spec": {"selector": {"matchLabels": labels}}})
        for labels in ({"a": "b"}, {"a": "b", "c": ""})
    )
    assert [change.path for change in changes(want, live)] == ["/spec/selector/matchLabels/c"]


NOTHING = {
    "null in data": (
        made("ConfigMap", {"data": {"k": "v", "FEATURE": None}}),
        made("ConfigMap", {"data": {"k": "v"}}),
    ),
    "only null in data": (made("ConfigMap", {"data": {"FEATURE": None}}), made("ConfigMap", {})),
    "null in labels": (made("Pod", {}, labels={"x": None}), made("Pod", {})),
    "no labels": (made("Pod", {}, labels={}), made("Pod", {})),
    "null where emptiness is kept": (made("Pod", {"spec": {"overhead": None}}), made("Pod", {})),
    "a field of a type": (pods(serviceAccount=""), pods()),
    "a field of a custom resource": (widget(mode=""), widget()),
}


@pytest.mark.parametrize(("want", "live"), NOTHING.values(), ids=NOTHING.keys())
def test_null_and_empty_fields_of_a_type_say_nothing(
    want: dict[str, Any], live: dict[str, Any]
) -> None:
    assert changes(want, live) == ()
