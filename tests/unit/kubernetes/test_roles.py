"""The rights made out of manifests."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.sync.kinds import NAMESPACED
from pipelines.model.resource import Resource
from pipelines.model.sync import SyncSettings
from pipelines.targets.kubernetes.plurals import english
from pipelines.targets.kubernetes.roles import Account, roles

ACCOUNT = Account("controller", "slipway")


def an_object(kind: str, name: str, api: str = "v1", **metadata: Any) -> Resource:
    return Resource({"apiVersion": api, "kind": kind, "metadata": {"name": name, **metadata}})


def settings(*options: str) -> SyncSettings:
    return SyncSettings("shop", "shop-dev", options=frozenset(options))


def allowed(manifests: list[Any], verb: str, plural: str, name: str, group: str = "") -> bool:
    """As RBAC answers, of all rules of the Roles."""
    return any(
        verb in rule["verbs"]
        and plural in rule["resources"]
        and group in rule["apiGroups"]
        and name in rule.get("resourceNames", [name])
        for manifest in manifests
        for rule in manifest.get("rules", [])
    )


def test_only_named_objects_may_be_written() -> None:
    found = roles([an_object("ConfigMap", "values")], settings(), ACCOUNT)
    assert allowed(found, "patch", "configmaps", "values")
    assert not allowed(found, "patch", "configmaps", "other")
    assert not allowed(found, "create", "configmaps", "other")
    assert not allowed(found, "get", "secrets", "any")


def test_a_hook_may_be_made_under_any_name_and_deleted_under_its_own() -> None:
    annotations = {"argocd.argoproj.io/hook": "PreSync"}
    hook = an_object("Job", "migrate", "batch/v1", annotations=annotations)
    found = roles([hook], settings(), ACCOUNT)
    assert allowed(found, "create", "jobs", "any", "batch")
    assert allowed(found, "delete", "jobs", "migrate", "batch")
    assert not allowed(found, "delete", "jobs", "other", "batch")


def test_what_has_no_namespace_needs_a_cluster_role() -> None:
    found = roles([an_object("Namespace", "shop-dev")], settings(), ACCOUNT)
    assert [manifest["kind"] for manifest in found] == ["ClusterRole", "ClusterRoleBinding"]
    assert roles([], settings("CreateNamespace"), ACCOUNT)[0]["kind"] == "ClusterRole"


def test_an_account_that_writes_rights_may_bind_just_those() -> None:
    binding = Resource(
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "RoleBinding",
            "metadata": {"name": "reader"},
            "roleRef": {"kind": "ClusterRole", "name": "view"},
        }
    )
    found = roles([binding], settings(), ACCOUNT)
    group = "rbac.authorization.k8s.io"
    assert allowed(found, "bind", "clusterroles", "view", group)
    assert not allowed(found, "bind", "clusterroles", "admin", group)


@given(st.permutations(["a", "b", "c"]))
def test_the_order_of_manifests_does_not_matter(names: list[str]) -> None:
    some = [an_object("ConfigMap", name) for name in names]
    ordered = [an_object("ConfigMap", name) for name in sorted(names)]
    assert roles(some, settings(), ACCOUNT) == roles(ordered, settings(), ACCOUNT)


def test_no_rule_has_a_star() -> None:
    every = [an_object(kind, "one", f"{group}/v1" if group else "v1") for group, kind in NAMESPACED]
    for manifest in roles(every, settings(), ACCOUNT):
        for rule in manifest.get("rules", []):
            assert "*" not in rule["verbs"] + rule["resources"] + rule["apiGroups"]


def test_plurals_are_those_of_the_api() -> None:
    assert english("NetworkPolicy") == "networkpolicies"
    assert english("Ingress") == "ingresses"
    assert english("Gateway") == "gateways"
    assert english("Endpoints") == "endpoints"
