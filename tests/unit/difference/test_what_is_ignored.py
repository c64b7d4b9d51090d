from __future__ import annotations

import copy
from typing import Any

import pytest

from pipelines.engine.difference.compare import changes
from pipelines.engine.difference.ignoring import matching, without_ignored
from pipelines.model.sync import IgnoreRule


def workload(replicas: int | None, *images: tuple[str, str]) -> dict[str, Any]:
    containers = [{"name": name, "image": image} for name, image in images]
    spec: dict[str, Any] = {"template": {"spec": {"containers": containers}}}
    if replicas is not None:
        spec["replicas"] = replicas
    metadata = {"name": "web", "namespace": "shop", "annotations": {"a/b~c": "1"}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def rule(*pointers: str, managers: tuple[str, ...] = (), **match: str) -> IgnoreRule:
    where = {"group": "apps", "kind": "Deployment"} | match
    return IgnoreRule(**where, json_pointers=pointers, managed_fields_managers=managers)


DESIRED = workload(2, ("web", "web:1"))
LIVE = workload(5, ("mesh", "mesh:1"), ("web", "web:2"))
IMAGE = "/spec/template/spec/containers/1/image"


def left(*rules: IgnoreRule, desired: Any = DESIRED, live: Any = LIVE) -> list[str]:
    return [change.path for change in changes(desired, live, rules)]


def test_without_a_rule_everything_counts() -> None:
    assert left() == ["/spec/replicas", IMAGE]


def test_a_pointer_is_ignored_with_all_below_it() -> None:
    assert left(rule("/spec/replicas")) == [IMAGE]
    assert left(rule("/spec")) == []


def test_an_index_counts_in_what_people_wrote() -> None:
    """The element beside it in live is the one of that name, wherever a webhook moved it."""
    assert left(rule("/spec/template/spec/containers/0/image")) == ["/spec/replicas"]


@pytest.mark.parametrize(
    "pointer", ["/nowhere", "/spec/no/where", "/spec/template/spec/containers/9/image", "/a/0/-"]
)
def test_a_pointer_to_nothing_changes_nothing(pointer: str) -> None:
    assert left(rule(pointer)) == ["/spec/replicas", IMAGE]
    assert without_ignored(DESIRED, LIVE, [rule(pointer)]) == DESIRED


def test_escapes_are_read() -> None:
    live = copy.deepcopy(LIVE)
    live["metadata"]["annotations"]["a/b~c"] = "2"
    assert "/metadata/annotations/a~1b~0c" in left(live=live)
    assert "/metadata/annotations/a~1b~0c" not in left(
        rule("/metadata/annotations/a~1b~0c"), live=live
    )


@pytest.mark.parametrize(
    "match",
    [{"group": ""}, {"kind": "StatefulSet"}, {"name": "other"}, {"namespace": "other"}],
)
def test_a_rule_for_something_else_does_not_count(match: dict[str, str]) -> None:
    assert matching(DESIRED, [rule("/spec", **match)]) == ()


@pytest.mark.parametrize(
    "match",
    [{"group": "*", "kind": "*"}, {"group": "", "kind": ""}, {"name": "web", "namespace": "shop"}],
)
def test_a_rule_for_this_object_counts(match: dict[str, str]) -> None:
    assert len(matching(DESIRED, [rule("/spec", **match)])) == 1


def test_what_is_applied_has_the_ignored_fields_of_live() -> None:
    body = without_ignored(DESIRED, LIVE, [rule("/spec/replicas")])
    assert body["spec"]["replicas"] == 5
    assert DESIRED["spec"]["replicas"] == 2
    unset = workload(None, ("web", "web:1"))
    assert without_ignored(unset, LIVE, [rule("/spec/replicas")])["spec"]["replicas"] == 5
    assert "replicas" not in without_ignored(DESIRED, unset, [rule("/spec/replicas")])["spec"]


def owned(manager: str, fields: dict[str, Any], **more: str) -> dict[str, Any]:
    entry = {"manager": manager, "operation": "Update", "time": "2026-01-01T00:00:00Z"}
    return {**entry, **more, "fieldsV1": fields}


def test_what_a_named_manager_owns_is_ignored() -> None:
    live = copy.deepcopy(LIVE)
    image = {"f:containers": {'k:{"name":"web"}': {".": {}, "f:image": {}}}}
    live["metadata"]["managedFields"] = [
        owned("kube-controller-manager", {"f:spec": {"f:replicas": {}}}, subresource="scale"),
        owned("image-updater", {"f:spec": {"f:template": {"f:spec": image}}}),
    ]
    assert left(rule(managers=("kube-controller-manager",)), live=live) == [IMAGE]
    assert left(rule(managers=("image-updater",)), live=live) == ["/spec/replicas"]
    assert left(rule(managers=("nobody",)), live=live) == ["/spec/replicas", IMAGE]
    body = without_ignored(DESIRED, live, [rule(managers=("image-updater",))])
    assert body["spec"]["template"]["spec"]["containers"] == [{"name": "web", "image": "web:2"}]


def test_a_member_of_a_set_belongs_to_who_put_it_there() -> None:
    live = copy.deepcopy(DESIRED)
    live["metadata"]["finalizers"] = ["ours", "theirs"]
    entry = owned("slipway", {"f:metadata": {"f:finalizers": {'v:"ours"': {}}}}, operation="Apply")
    live["metadata"]["managedFields"] = [entry]
    found = changes(DESIRED, live)
    assert [(change.path, change.old, change.manager) for change in found] == [
        ("/metadata/finalizers/0", "ours", "slipway")
    ]
    assert left(rule("/metadata/finalizers"), live=live) == []


def test_an_index_hides_the_element_that_was_written_there_and_no_other() -> None:
    """A webhook put a container first, so that live counts otherwise."""
    desired = workload(2, ("api", "api:1"), ("worker", "worker:1"))
    live = workload(2, ("proxy", "proxy:1"), ("api", "api:2"), ("worker", "worker:2"))
    api, worker = (f"/spec/template/spec/containers/{index}/image" for index in (1, 2))
    assert left(desired=desired, live=live) == [api, worker]
    assert left(rule(api), desired=desired, live=live) == [api]
    first = "/spec/template/spec/containers/0/image"
    assert left(rule(first), desired=desired, live=live) == [worker]
    assert left(rule(worker), desired=desired, live=live) == [api, worker]


def test_an_index_follows_the_names_that_a_record_of_a_custom_resource_tells() -> None:
    def gateway(*listeners: tuple[str, int]) -> dict[str, Any]:
        spec = {"listeners": [{"name": name, "port": port} for name, port in listeners]}
        return {"apiVersion": "x.io/v1", "kind": "Gate", "metadata": {"name": "x"}, "spec": spec}

    live = gateway(("added", 1), ("web", 81))
    named = {'k:{"name":"web"}': {"f:name": {}, "f:port": {}}}
    live["metadata"]["managedFields"] = [owned("kubectl", {"f:spec": {"f:listeners": named}})]
    ignored = IgnoreRule(kind="Gate", group="x.io", json_pointers=("/spec/listeners/0/port",))
    assert left(desired=gateway(("web", 80)), live=live) == ["/spec/listeners/1/port"]
    assert left(ignored, desired=gateway(("web", 80)), live=live) == []


def test_an_index_beyond_a_list_by_key_takes_nothing_in() -> None:
    live = workload(2, ("proxy", "proxy:1"), ("web", "web:2"))
    assert without_ignored(DESIRED, live, [rule("/spec/template/spec/containers/1")]) == DESIRED


def tolerating(*tolerations: dict[str, Any], owner: str = "") -> dict[str, Any]:
    body = workload(2, ("web", "web:1"))
    if tolerations:
        body["spec"]["template"]["spec"]["tolerations"] = list(tolerations)
    if owner:
        fields = {"f:spec": {"f:template": {"f:spec": {"f:tolerations": {}}}}}
        body["metadata"]["managedFields"] = [
            {"manager": owner, "operation": "Apply", "fieldsV1": fields}
        ]
    return body


SPOT, ARM = {"key": "spot", "operator": "Exists"}, {"key": "arm", "operator": "Exists"}
TOLERATIONS = "/spec/template/spec/tolerations"


@pytest.mark.parametrize("below", ["/0", "/0/operator", "/1", "/-"])
def test_an_index_into_a_list_that_desired_lacks_makes_no_such_list(below: str) -> None:
    desired, live = tolerating(), tolerating(SPOT, ARM)
    ignored = rule(TOLERATIONS + below)
    assert without_ignored(desired, live, [ignored]) == desired
    bare = {**desired, "spec": {}}
    assert without_ignored(bare, live, [ignored]) == bare
    assert left(ignored, desired=desired, live=live) == []
    ours = tolerating(SPOT, owner="slipway")
    assert left(ignored, desired=desired, live=ours) == [TOLERATIONS]


def test_what_follows_in_live_after_all_that_was_written_is_taken_in() -> None:
    desired, live = tolerating(SPOT), tolerating(SPOT, ARM)
    assert left(rule(TOLERATIONS + "/1"), desired=desired, live=live) == []
    body = without_ignored(desired, live, [rule(TOLERATIONS + "/1")])
    assert body["spec"] == live["spec"]


def test_ignoring_a_key_of_a_secret_beats_its_text() -> None:
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "x"}}
    want, live = {**secret, "stringData": {"a": "1"}}, {**secret, "data": {"a": "Mg=="}}
    ignored = IgnoreRule(kind="Secret", json_pointers=("/data/a",))
    assert changes(want, live, [ignored]) == ()
    assert without_ignored(want, live, [ignored]) == live
