"""The component declares an environment's borders, and nothing that is not its own."""

from __future__ import annotations

from infra.components.access import RULES, subject_of
from infra.settings import EnvironmentSettings, Subject
from tests.infra.conftest import Plan

BOTH_WAYS = ["Ingress", "Egress"]


def test_exactly_these_kinds_are_declared(plan: Plan) -> None:
    made = [resource.kind for resource in plan.resources if resource.custom]
    assert sorted(made) == [
        "LimitRange", "Namespace", "NetworkPolicy", "NetworkPolicy", "NetworkPolicy",
        "ResourceQuota", "Role", "RoleBinding",
    ]  # fmt: skip


def test_pods_run_under_the_restricted_profile(plan: Plan) -> None:
    labels = plan.one("Namespace")["metadata"]["labels"]
    for mode in ("enforce", "audit", "warn"):
        assert labels[f"pod-security.kubernetes.io/{mode}"] == "restricted"


def test_everything_lies_in_the_namespace(plan: Plan, settings: EnvironmentSettings) -> None:
    assert plan.one("Namespace")["metadata"]["name"] == settings.namespace
    inside = [r for r in plan.resources if r.custom and r.kind != "Namespace"]
    assert {r.inputs["metadata"]["namespace"] for r in inside} == {settings.namespace}


def test_what_is_protected_is_protected_whole(plan: Plan) -> None:
    made = [resource for resource in plan.resources if resource.custom]
    assert len(made) == 8
    assert all(resource.protect for resource in made)


def test_the_quota_counts_limits_and_allows_no_way_in(plan: Plan) -> None:
    hard = plan.one("ResourceQuota")["spec"]["hard"]
    assert hard["requests.cpu"] == hard["limits.cpu"] == "44000m"
    assert hard["requests.memory"] == hard["limits.memory"] == "81920Mi"
    assert (hard["pods"], hard["persistentvolumeclaims"]) == ("60", "8")
    assert hard["requests.storage"] == "200Gi"
    assert hard["services.nodeports"] == hard["services.loadbalancers"] == "0"


def test_a_container_that_says_nothing_gets_limits(plan: Plan) -> None:
    (item,) = plan.one("LimitRange")["spec"]["limits"]
    assert item == {
        "type": "Container",
        "defaultRequest": {"cpu": "100m", "memory": "128Mi"},
        "default": {"cpu": "500m", "memory": "512Mi"},
        "max": {"cpu": "4000m", "memory": "8192Mi"},
    }


def test_nothing_comes_in_or_goes_out_by_default(plan: Plan) -> None:
    assert plan.policy("deny-all") == {"podSelector": {}, "policyTypes": BOTH_WAYS}


def test_pods_of_the_namespace_talk_to_each_other_only(plan: Plan) -> None:
    spec = plan.policy("same-namespace")
    assert spec["policyTypes"] == BOTH_WAYS
    assert spec["ingress"] == [{"from": [{"podSelector": {}}]}]
    assert spec["egress"] == [{"to": [{"podSelector": {}}]}]


def test_names_are_asked_of_the_name_service_alone(plan: Plan) -> None:
    spec = plan.policy("name-service")
    assert spec["policyTypes"] == ["Egress"]
    (rule,) = spec["egress"]
    assert rule["to"] == [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
            "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
        }
    ]
    assert rule["ports"] == [{"protocol": "UDP", "port": 53}, {"protocol": "TCP", "port": 53}]


def test_the_deployer_may_not_widen_its_own_borders(plan: Plan) -> None:
    rules = plan.one("Role")["rules"]
    assert len(rules) == len(RULES)
    words = {word for rule in rules for values in rule.values() for word in values}
    assert not {word for word in words if "*" in word}
    assert not words & {"secrets", "pods/attach", "pods/portforward", "serviceaccounts/token"}
    assert not words & {"roles", "rolebindings", "resourcequotas", "limitranges", "namespaces"}
    assert not words & {"escalate", "bind", "impersonate", "deletecollection"}


def test_pods_are_looked_at_and_ended_and_made_by_nobody(plan: Plan) -> None:
    (rule,) = [rule for rule in plan.one("Role")["rules"] if "pods" in rule["resources"]]
    assert rule["verbs"] == ["get", "list", "watch", "delete"]


def test_the_role_is_bound_to_those_who_are_named(plan: Plan) -> None:
    binding = plan.one("RoleBinding")
    assert binding["roleRef"] == {
        "apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "deployer",
    }  # fmt: skip
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": "slipway-deployer", "namespace": "slipway-system"}
    ]


def test_a_group_is_a_subject_without_a_namespace() -> None:
    subject = subject_of(Subject("Group", "quants"))
    assert (subject.kind, subject.name, subject.namespace) == ("Group", "quants", None)
    assert subject.api_group == "rbac.authorization.k8s.io"


def test_the_component_registers_what_others_build_on(plan: Plan) -> None:
    (outputs,) = [found for urn, found in plan.registered.items() if "Environment::" in urn]
    assert outputs == {"namespace": "slipway-production", "deployer_role": "deployer"}
