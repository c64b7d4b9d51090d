"""Server-side apply knows an atomic list as one value, so its record names none of the fields below:
what is too much in an element is told by the comparison alone."""

from __future__ import annotations

import json
from typing import Any

import pytest

from pipelines.engine.difference.compare import changes
from pipelines.engine.difference.patch import carried_out

LAST_APPLIED = "kubectl.kubernetes.io/last-applied-configuration"


def policy(*rules: Any) -> dict[str, Any]:
    return made("networking.k8s.io/v1", "NetworkPolicy", {"spec": {"ingress": list(rules)}})


def role(**more: Any) -> dict[str, Any]:
    rule = {"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"], **more}
    return made("rbac.authorization.k8s.io/v1", "Role", {"rules": [rule]})


def pods(**spec: Any) -> dict[str, Any]:
    body = {"containers": [{"name": "web", "image": "web"}], **spec}
    return made("apps/v1", "Deployment", {"spec": {"template": {"spec": body}}})


def tolerating(**more: Any) -> dict[str, Any]:
    return pods(tolerations=[{"key": "spot", "operator": "Exists", **more}])


def route(**more: Any) -> dict[str, Any]:
    rules = [{"backendRefs": [{"name": "web", "port": 80}], **more}]
    return made("gateway.networking.k8s.io/v1", "HTTPRoute", {"spec": {"rules": rules}})


def made(version: str, kind: str, body: dict[str, Any]) -> dict[str, Any]:
    return {"apiVersion": version, "kind": kind, "metadata": {"name": "x"}, **body}


def leaves(value: Any) -> dict[str, Any]:
    """The record of who applied this value, where all lists are atomic."""
    return {f"f:{k}": leaves(v) if isinstance(v, dict) else {} for k, v in value.items()}


def recorded(live: dict[str, Any], *managers: str) -> dict[str, Any]:
    own = leaves({key: value for key, value in live.items() if key in ("spec", "rules")})
    fields = [
        {
            "manager": manager,
            "operation": "Apply" if manager == "slipway" else "Update",
            "fieldsV1": own,
        }
        for manager in managers or ("slipway",)
    ]
    return {**live, "metadata": {**live["metadata"], "uid": "1", "managedFields": fields}}


SELECTOR = {"podSelector": {}}
BLOCK = {"cidr": "10.0.0.0/8"}
REDIRECT = {"type": "RequestRedirect", "requestRedirect": {"scheme": "https"}}
TOO_MUCH = {
    "from in a rule for all": (policy({}), policy({"from": [SELECTOR]}), "/spec/ingress/0/from"),
    "ports beside from": (
        policy({"from": [SELECTOR]}),
        policy({"from": [SELECTOR], "ports": [{"port": 80, "protocol": "TCP"}]}),
        "/spec/ingress/0/ports",
    ),
    "the end of a range": (
        policy({"ports": [{"port": 80}]}),
        policy({"ports": [{"port": 80, "protocol": "TCP", "endPort": 90}]}),
        "/spec/ingress/0/ports/0/endPort",
    ),
    "an exception": (
        policy({"from": [{"ipBlock": BLOCK}]}),
        policy({"from": [{"ipBlock": {**BLOCK, "except": ["10.1.0.0/16"]}}]}),
        "/spec/ingress/0/from/0/ipBlock/except",
    ),
    "names in a role": (role(), role(resourceNames=["one"]), "/rules/0/resourceNames"),
    "an effect": (
        tolerating(),
        tolerating(effect="NoSchedule"),
        "/spec/template/spec/tolerations/0/effect",
    ),
    "a time that is zero": (
        tolerating(effect="NoExecute"),
        tolerating(effect="NoExecute", tolerationSeconds=0),
        "/spec/template/spec/tolerations/0/tolerationSeconds",
    ),
    "a filter of a custom resource": (route(), route(filters=[REDIRECT]), "/spec/rules/0/filters"),
    "a match of a custom resource": (
        route(),
        route(matches=[{"path": {"type": "Exact", "value": "/"}}]),
        "/spec/rules/0/matches",
    ),
}


@pytest.mark.parametrize(("want", "live", "path"), TOO_MUCH.values(), ids=TOO_MUCH.keys())
def test_what_an_element_has_too_much_goes(
    want: dict[str, Any], live: dict[str, Any], path: str
) -> None:
    live = recorded(live)
    (change,) = changes(want, live)
    assert (change.path, change.new) == (path, None)
    assert changes(want, carried_out(live, [change])) == ()


FILTERED_BY_HAND = recorded(route(filters=[REDIRECT]), "kubectl-edit")
FILTERED_BY_A_CONTROLLER = recorded(route(filters=[REDIRECT]), "late-initializer")


def test_what_a_person_wrote_into_a_list_of_a_custom_resource_goes_too() -> None:
    assert [one.path for one in changes(route(), FILTERED_BY_HAND)] == ["/spec/rules/0/filters"]


def test_what_a_controller_completes_in_a_list_of_a_custom_resource_stays() -> None:
    """The two would write against each other for ever."""
    assert changes(route(), FILTERED_BY_A_CONTROLLER) == ()


def test_without_a_record_a_list_of_a_custom_resource_is_told_by_what_was_applied_last() -> None:
    before, live = route(filters=[REDIRECT]), route(filters=[REDIRECT], timeouts={"request": "1s"})
    assert changes(route(), live) == ()
    live["metadata"] = {"name": "x", "annotations": {LAST_APPLIED: json.dumps(before)}}
    assert [one.path for one in changes(route(), live)] == ["/spec/rules/0/filters"]


def claims(spec: dict[str, Any], **more: Any) -> dict[str, Any]:
    claim = {"metadata": {"name": "data"}, "spec": {"accessModes": ["ReadWriteOnce"], **spec}}
    return made("apps/v1", "StatefulSet", {"spec": {"volumeClaimTemplates": [{**claim, **more}]}})


def projected(audience: dict[str, Any], field: dict[str, Any]) -> dict[str, Any]:
    sources = [
        {"serviceAccountToken": {"path": "token", **audience}},
        {"downwardAPI": {"items": [{"path": "x", "fieldRef": {"fieldPath": "y", **field}}]}},
    ]
    return pods(volumes=[{"name": "all", "projected": {"sources": sources}}])


def bound(**more: str) -> dict[str, Any]:
    subject = {"kind": "User", "name": "me", **more}
    return made("rbac.authorization.k8s.io/v1", "RoleBinding", {"subjects": [subject]})


def limited(**more: Any) -> dict[str, Any]:
    item = {"type": "Container", "max": {"cpu": "2", "memory": "1Gi"}, **more}
    return made("v1", "LimitRange", {"spec": {"limits": [item]}})


def referred(**more: Any) -> dict[str, Any]:
    entry = {"secretKey": "a", "remoteRef": {"key": "b", **more}}
    return made("external-secrets.io/v1", "ExternalSecret", {"spec": {"data": [entry]}})


def backend(**more: Any) -> dict[str, Any]:
    return route(backendRefs=[{"name": "web", "port": 80, **more}])


FILLED_IN = {
    "protocol": (
        policy({"ports": [{"port": 1}]}),
        policy({"ports": [{"port": 1, "protocol": "TCP"}]}),
    ),
    "claim": (
        claims({}),
        claims(
            {"volumeMode": "Filesystem"},
            apiVersion="v1", kind="PersistentVolumeClaim", status={"phase": "Pending"},
        ),
    ),
    "projection": (
        projected({}, {}),
        projected({"expirationSeconds": 3600}, {"apiVersion": "v1"}),
    ),
    "subject": (bound(), bound(apiGroup="rbac.authorization.k8s.io")),
    "limits": (
        limited(default={"cpu": "1"}),
        limited(default={"cpu": "1", "memory": "1Gi"}, defaultRequest={"cpu": "1", "memory": "1Gi"}),
    ),
    "matches": (
        route(),
        route(matches=[{"path": {"type": "PathPrefix", "value": "/"}}]),
    ),
    "path": (
        route(matches=[{"method": "GET"}]),
        route(matches=[{"method": "GET", "path": {"type": "PathPrefix", "value": "/"}}]),
    ),
    "backend": (backend(), backend(group="", kind="Service", weight=1)),
    "secret": (
        referred(),
        referred(conversionStrategy="Default", decodingStrategy="None", metadataPolicy="None"),
    ),
}  # fmt: skip


@pytest.mark.parametrize(("want", "live"), FILLED_IN.values(), ids=FILLED_IN.keys())
def test_what_the_server_fills_into_an_element_is_no_difference(
    want: dict[str, Any], live: dict[str, Any]
) -> None:
    assert changes(want, recorded(live)) == ()


def test_what_others_add_to_a_list_by_key_inside_no_such_list_stays() -> None:
    want = pods(containers=[{"name": "web", "ports": [{"containerPort": 80}]}])
    port = {"containerPort": 80, "protocol": "TCP", "name": "added"}
    probe = {"httpGet": {"port": 80}, "periodSeconds": 10}
    container = {"name": "web", "ports": [port], "livenessProbe": probe}
    assert changes(want, recorded(pods(containers=[container]), "somebody")) == ()


def test_a_removal_that_record_and_comparison_both_find_is_told_once() -> None:
    labels = {"matchLabels": {"app": "web"}}
    want = made("apps/v1", "Deployment", {"spec": {"selector": labels}})
    more = {"matchLabels": {"app": "web", "tier": "front"}}
    live = recorded(made("apps/v1", "Deployment", {"spec": {"selector": more}}))
    assert [one.path for one in changes(want, live)] == ["/spec/selector/matchLabels/tier"]


def test_a_list_with_an_element_without_a_name_is_compared_by_place_alone() -> None:
    """`volumes` of a custom resource may be anything; what is wanted there is not removed."""
    want, before = (
        made("example.com/v1", "Widget", {"spec": {"volumes": [{"name": "data"}, second]}})
        for second in ("logs", {"name": "logs"})
    )
    live = {**before, "metadata": {"name": "x", "annotations": {LAST_APPLIED: json.dumps(before)}}}
    found = changes(want, live)
    assert [(one.path, one.new) for one in found] == [("/spec/volumes/1", "logs")]
    assert changes(want, carried_out(live, found)) == ()
