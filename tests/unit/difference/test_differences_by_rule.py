from __future__ import annotations

import base64
import time
from typing import Any

import pytest

from pipelines.engine.difference.compare import changes
from pipelines.engine.difference.shapes import shape_of
from pipelines.model.sync import FieldChange


def workload(**container: Any) -> dict[str, Any]:
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web", "namespace": "shop"},
        "spec": {"template": {"spec": {"containers": [{"name": "web", **container}]}}},
    }


def spec(kind: str, body: dict[str, Any], version: str = "v1") -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "x"}, "spec": body}


def paths(desired: dict[str, Any], live: dict[str, Any]) -> list[str]:
    return [change.path for change in changes(desired, live)]


def limits(value: object) -> dict[str, Any]:
    return workload(resources={"limits": {"cpu": value}})


@pytest.mark.parametrize(
    ("want", "have"),
    [("1000m", "1"), (1, "1"), (0.5, "500m"), ("1Gi", "1024Mi"), ("1e3", "1k"), ("0.1", "100m")],
)
def test_equal_amounts_are_one_quantity(want: object, have: object) -> None:
    assert changes(limits(want), limits(have)) == ()


@pytest.mark.parametrize(("want", "have"), [("1", "1m"), ("1Gi", "1G"), ("1", "one"), ("1", None)])
def test_other_amounts_are_not(want: object, have: object) -> None:
    assert paths(limits(want), limits(have)) == [
        "/spec/template/spec/containers/0/resources/limits/cpu"
    ]


def test_a_field_that_only_looks_like_an_amount_is_compared_as_text() -> None:
    config = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}}
    assert paths({**config, "data": {"cpu": "1000m"}}, {**config, "data": {"cpu": "1"}}) == [
        "/data/cpu"
    ]


@pytest.mark.parametrize(("want", "have"), [(8080, "8080"), ("50%", "50%"), (1, 1.0)])
def test_a_port_or_share_is_the_same_as_number_and_text(want: object, have: object) -> None:
    one = spec("PodDisruptionBudget", {"minAvailable": want}, "policy/v1")
    other = spec("PodDisruptionBudget", {"minAvailable": have}, "policy/v1")
    assert changes(one, other) == ()


def test_true_is_not_one() -> None:
    one, other = (spec("Widget", {"on": value}, "example.com/v1") for value in (True, 1))
    assert paths(one, other) == ["/spec/on"]


@pytest.mark.parametrize("empty", [None, "", {}, [], False, 0])
def test_an_empty_value_that_the_server_does_not_keep_is_no_difference(empty: object) -> None:
    assert changes(spec("Service", {"publishNotReadyAddresses": empty}), spec("Service", {})) == ()


def test_an_explicit_false_that_the_server_would_keep_is_a_difference() -> None:
    want = spec("Pod", {"automountServiceAccountToken": False})
    assert changes(want, spec("Pod", {})) == (
        FieldChange("/spec/automountServiceAccountToken", None, False),
    )


def test_an_empty_selector_is_not_no_selector() -> None:
    """No namespace selector means this namespace; an empty one means all of them."""
    wider, narrow = (
        spec("NetworkPolicy", {"ingress": [{"from": [peer]}]}, "networking.k8s.io/v1")
        for peer in ({"podSelector": {}, "namespaceSelector": {}}, {"podSelector": {}})
    )
    where = "/spec/ingress/0/from/0/namespaceSelector"
    assert changes(narrow, wider) == (FieldChange(where, {}, None),)
    assert changes(wider, narrow) == (FieldChange(where, None, {}),)


def test_an_empty_directory_is_not_the_hosts() -> None:
    """Sources stand in a struct that Go embeds; each is a pointer all the same."""
    pod = shape_of("v1", "Pod").of("spec")
    sources = {"emptyDir", "hostPath", "projected"}
    assert sources <= pod.of("volumes").element.kept
    assert {"exec", "httpGet"} <= pod.of("containers").element.of("livenessProbe").kept
    assert "http" in shape_of("networking.k8s.io/v1", "Ingress").of("spec").of("rules").element.kept
    want = spec("Pod", {"volumes": [{"name": "x", "emptyDir": {}}]})
    live = spec("Pod", {"volumes": [{"name": "x", "hostPath": {"path": "/", "type": ""}}]})
    assert changes(want, live) == (FieldChange("/spec/volumes/0/emptyDir", None, {}),)


def test_elements_are_found_by_their_key_wherever_they_stand() -> None:
    want = workload(env=[{"name": "A", "value": "1"}, {"name": "B", "value": "2"}])
    live = workload(env=[{"name": "Z"}, {"name": "B", "value": "3"}, {"name": "A", "value": "1"}])
    live["spec"]["template"]["spec"]["containers"].insert(0, {"name": "injected"})
    assert paths(want, live) == ["/spec/template/spec/containers/1/env/1/value"]


def test_a_port_without_protocol_is_the_tcp_one() -> None:
    want = workload(ports=[{"containerPort": 53}, {"containerPort": 53, "protocol": "UDP"}])
    live = workload(ports=[{"containerPort": 53, "protocol": p} for p in ("UDP", "TCP")])
    assert changes(want, live) == ()


def test_a_name_given_twice_is_compared_in_its_order() -> None:
    twice = [{"name": "A", "value": "1"}, {"name": "A", "value": "2"}]
    assert changes(workload(env=twice), workload(env=twice)) == ()
    assert paths(workload(env=twice), workload(env=twice[::-1])) == [
        "/spec/template/spec/containers/0/env/0/value",
        "/spec/template/spec/containers/0/env/1/value",
    ]


def test_the_order_of_arguments_means_something() -> None:
    assert changes(workload(args=["a", "b"]), workload(args=["b", "a"])) == (
        FieldChange("/spec/template/spec/containers/0/args/0", "b", "a"),
        FieldChange("/spec/template/spec/containers/0/args/1", "a", "b"),
    )


def test_a_secret_is_compared_by_its_bytes() -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}}
    want = {**secret, "stringData": {"a": "1"}, "data": {"a": "bm8=", "b": "AAEC\nAwQF\n"}}
    assert changes(want, {**secret, "data": {"a": "MQ==", "b": "AAECAwQF"}}) == ()
    two = base64.b64encode(b"2").decode()
    assert changes(want, {**secret, "data": {"a": two, "b": "AAECAwQF"}}) == (
        FieldChange("/data/a", two, "MQ=="),
    )


def test_rules_that_a_controller_collects_are_not_compared() -> None:
    role: dict[str, Any] = {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": "all"},
        "aggregationRule": {"clusterRoleSelectors": [{"matchLabels": {"a": "b"}}]},
    }
    assert changes({**role, "rules": []}, {**role, "rules": [{"verbs": ["get"]}]}) == ()


def test_status_and_what_only_the_server_writes_never_count() -> None:
    want = {**workload(), "status": {"replicas": 1}}
    want["metadata"] |= {
        "uid": "1", "resourceVersion": "2", "generation": 3, "creationTimestamp": None,
        "annotations": {"deployment.kubernetes.io/revision": "7"},
    }  # fmt: skip
    assert changes(want, workload()) == ()


def test_a_custom_resource_keeps_what_it_was_given() -> None:
    want = spec("Widget", {"on": False, "hosts": ["a", "b"], "none": None}, "example.com/v1")
    live = spec("Widget", {"hosts": ["b", "a"], "phase": "x"}, "example.com/v1")
    assert paths(want, live) == ["/spec/hosts/0", "/spec/hosts/1", "/spec/on"]


def test_steps_of_paths_are_escaped() -> None:
    want = workload()
    want["metadata"]["annotations"] = {"a/b~c": "1"}
    live = workload()
    live["metadata"]["annotations"] = {"a/b~c": "2"}
    assert paths(want, live) == ["/metadata/annotations/a~1b~0c"]


@pytest.mark.parametrize("broken", [None, "text", 7, [], [1], {"a": []}])
def test_a_broken_manifest_is_a_difference_and_never_an_error(broken: object) -> None:
    want = {**workload(), "metadata": broken, "spec": broken}
    changes(want, workload())
    changes(workload(), want)
    assert changes(want, want) == ()


def test_long_lists_take_no_longer_than_their_length_asks_for() -> None:
    """Each of these took from ten seconds to a minute when elements were looked for one by one."""
    rules = [{"apiGroups": [""], "resources": [f"r{n}"], "verbs": ["get"]} for n in range(1000)]
    other = [{**rule, "verbs": ["list"]} for rule in rules]
    role = {"apiVersion": "rbac.authorization.k8s.io/v1", "kind": "Role", "metadata": {"name": "x"}}
    env = [{"name": f"E{n}", "value": "1"} for n in range(1000)]
    owned = {f'k:{{"name":"E{n}"}}': {".": {}, "f:name": {}, "f:value": {}} for n in range(1000)}
    fields = {"f:containers": {'k:{"name":"web"}': {".": {}, "f:env": owned}}}
    live = spec("Pod", {"containers": [{"name": "web", "env": env}]})
    live["metadata"]["managedFields"] = [
        {"manager": "slipway", "operation": "Apply", "fieldsV1": {"f:spec": fields}}
    ]
    twins = [{"name": "A", "value": "1"}] * 1000
    started = time.monotonic()
    assert changes({**role, "rules": rules}, {**role, "rules": rules[::-1]}) == ()
    assert len(changes({**role, "rules": rules}, {**role, "rules": other})) == 1000
    assert len(changes(spec("Pod", {"containers": [{"name": "web", "env": []}]}), live)) == 1000
    assert len(changes(spec("Pod", {"containers": [{"name": "web", "env": twins}]}), live)) == 2000
    assert time.monotonic() - started < 8


def test_an_empty_value_asks_for_the_default_and_for_nothing_else() -> None:
    want = spec("Service", {"type": "", "clusterIP": "", "ports": [{"port": 80, "nodePort": 0}]})
    given = {"type": "ClusterIP", "clusterIP": "10.0.0.7", "ports": [{"port": 80, "nodePort": 3}]}
    assert changes(want, spec("Service", given)) == ()
    found = changes(want, spec("Service", {**given, "type": "NodePort"}))
    assert found == (FieldChange("/spec/type", "NodePort", ""),)
    assert paths(workload(env=[{"name": "A", "value": ""}]), workload(env=[{"name": "A"}])) == []
    changed = workload(env=[{"name": "A", "value": "x"}])
    assert paths(workload(env=[{"name": "A", "value": ""}]), changed) == [
        "/spec/template/spec/containers/0/env/0/value"
    ]
