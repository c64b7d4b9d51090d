"""What charts render is judged: each rule finds its own planted defect, and nothing in a good pod."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.adapters.check_render import read_tree
from pipelines.adapters.kubernetes.helm_library import HelmLibrary
from pipelines.engine.charts import ChartRenderer
from pipelines.model.check import Tree
from pipelines.model.resource import Resource
from pipelines.stages.render_charts import render_charts
from pipelines.stages.security.manifests import stage_part
from pipelines.stages.security.manifests.stage_part import judge, judge_manifests
from tests.support.security_change import Bench, SmallRepository
from tests.unit.check.test_render import FILES
from tests.unit.check.test_render_charts import CHARTS

ROOT = Path(__file__).parents[3]
SECURITY = {
    "allowPrivilegeEscalation": False,
    "readOnlyRootFilesystem": True,
    "capabilities": {"drop": ["ALL"]},
}
RESOURCES = {"cpu": "1", "memory": "1Gi"}
CONTAINER = {
    "name": "api",
    "image": "registry.example.com:5000/tiny:r-1",
    "securityContext": SECURITY,
    "resources": {"requests": RESOURCES, "limits": RESOURCES},
}
POD: dict[str, Any] = {
    "serviceAccountName": "tiny",
    "automountServiceAccountToken": False,
    "securityContext": {
        "runAsNonRoot": True,
        "runAsUser": 10001,
        "seccompProfile": {"type": "RuntimeDefault"},
    },
    "volumes": [{"name": "tmp", "emptyDir": {}}, {"name": "settings", "configMap": {"name": "x"}}],
    "containers": [CONTAINER],
}
OWNERS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "Pod": lambda pod: {"spec": pod},
    "Deployment": lambda pod: {"spec": {"template": {"spec": pod}}},
    "StatefulSet": lambda pod: {"spec": {"template": {"spec": pod}}},
    "DaemonSet": lambda pod: {"spec": {"template": {"spec": pod}}},
    "Job": lambda pod: {"spec": {"template": {"spec": pod}}},
    "CronJob": lambda pod: {"spec": {"jobTemplate": {"spec": {"template": {"spec": pod}}}}},
}


def _object(kind: str, **rest: Any) -> Resource:
    return Resource(
        {"apiVersion": "v1", "kind": kind, "metadata": {"name": "tiny"}, **rest}, "x: 1"
    )


def _rules(*resources: Resource) -> list[str]:
    return [finding.rule for finding in judge(resources)]


@pytest.mark.parametrize("kind", OWNERS)
def test_a_good_pod_passes_whoever_starts_it(kind: str) -> None:
    assert _rules(_object(kind, **OWNERS[kind](POD))) == []


@pytest.mark.parametrize(
    ("path", "value", "rule"),
    [
        ("hostNetwork", True, "manifest/host"),
        ("hostPID", True, "manifest/host"),
        ("hostIPC", True, "manifest/host"),
        ("containers.0.ports", [{"containerPort": 1, "hostPort": 80}], "manifest/host"),
        ("volumes.0", {"name": "x", "hostPath": {"path": "/"}}, "manifest/volume"),
        ("volumes.0", {"name": "x", "nfs": {"server": "a", "path": "/"}}, "manifest/volume"),
        ("containers.0.securityContext.privileged", True, "manifest/privilege"),
        ("containers.0.securityContext.allowPrivilegeEscalation", None, "manifest/privilege"),
        ("containers.0.securityContext.allowPrivilegeEscalation", True, "manifest/privilege"),
        ("containers.0.securityContext.procMount", "Unmasked", "manifest/privilege"),
        ("containers.0.securityContext.capabilities", None, "manifest/capabilities"),
        ("containers.0.securityContext.capabilities.drop", ["NET_RAW"], "manifest/capabilities"),
        ("containers.0.securityContext.capabilities.add", ["SYS_ADMIN"], "manifest/capabilities"),
        ("securityContext.runAsNonRoot", None, "manifest/root"),
        ("securityContext.runAsNonRoot", False, "manifest/root"),
        ("containers.0.securityContext.runAsNonRoot", False, "manifest/root"),
        ("securityContext.runAsUser", 0, "manifest/root"),
        ("securityContext.seccompProfile", None, "manifest/seccomp"),
        ("containers.0.securityContext.seccompProfile", {"type": "Unconfined"}, "manifest/seccomp"),
        ("securityContext.sysctls", [{"name": "kernel.msgmax", "value": "1"}], "manifest/kernel"),
        ("securityContext.seLinuxOptions", {"type": "spc_t"}, "manifest/kernel"),
        ("securityContext.appArmorProfile", {"type": "Unconfined"}, "manifest/kernel"),
        ("containers.0.securityContext.readOnlyRootFilesystem", False, "manifest/writable"),
        ("containers.0.resources.limits.memory", None, "manifest/limits"),
        ("containers.0.resources.requests.cpu", None, "manifest/limits"),
        ("containers.0.image", "tiny", "manifest/image"),
        ("containers.0.image", "registry.example.com:5000/tiny", "manifest/image"),
        ("containers.0.image", "tiny:latest", "manifest/image"),
        ("automountServiceAccountToken", None, "manifest/token"),
        ("automountServiceAccountToken", True, "manifest/token"),
        (
            "volumes.0",
            {"name": "x", "projected": {"sources": [{"serviceAccountToken": {"path": "t"}}]}},
            "manifest/token",
        ),
    ],
)  # fmt: skip
@pytest.mark.parametrize("where", ["containers", "initContainers"])
def test_each_defect_is_found_by_its_rule_alone(
    path: str, value: Any, rule: str, where: str
) -> None:
    pod = copy.deepcopy(POD)
    _plant(pod, path, value)
    if where == "initContainers":
        pod = {**pod, "initContainers": pod["containers"], "containers": [CONTAINER]}
    found = _rules(_object("Deployment", **OWNERS["Deployment"](pod)))
    assert set(found) == {rule}


def _plant(pod: dict[str, Any], path: str, value: Any) -> None:
    """None takes it away."""
    *above, key = [int(part) if part.isdigit() else part for part in path.split(".")]
    place: Any = pod
    for part in above:
        place = place[part]
    if value is None:
        del place[key]
    else:
        place[key] = value


def test_a_digest_needs_no_tag() -> None:
    pod = copy.deepcopy(POD)
    pod["containers"][0]["image"] = "registry.example.com/tiny@sha256:aa"
    assert _rules(_object("Pod", spec=pod)) == []


def test_a_pod_without_a_spec_is_no_good_pod() -> None:
    assert "manifest/token" in _rules(_object("Deployment"))


# --- rights ---------------------------------------------------------------------------------------

BINDING = _object("RoleBinding", subjects=[{"kind": "ServiceAccount", "name": "tiny"}])


def test_who_asks_the_api_may_have_a_token_with_rights_of_its_own() -> None:
    pod = {**POD, "automountServiceAccountToken": True}
    assert _rules(_object("Job", **OWNERS["Job"](pod)), BINDING) == []


def test_a_service_account_may_say_for_its_pods_that_none_is_mounted() -> None:
    pod = {key: value for key, value in POD.items() if key != "automountServiceAccountToken"}
    account = _object("ServiceAccount", automountServiceAccountToken=False)
    assert _rules(_object("Pod", spec=pod), account) == []


@pytest.mark.parametrize(
    ("rule", "wrong"),
    [
        ({"apiGroups": [""], "resources": ["pods"], "verbs": ["*"]}, True),
        ({"apiGroups": ["*"], "resources": ["pods"], "verbs": ["get"]}, True),
        ({"apiGroups": [""], "resources": ["*"], "verbs": ["get"]}, True),
        ({"apiGroups": [""], "resources": ["secrets"], "verbs": ["list"]}, True),
        ({"apiGroups": ["x"], "resources": ["roles"], "verbs": ["escalate"]}, True),
        ({"apiGroups": [""], "resources": ["secrets"], "verbs": ["get"]}, False),
        ({"apiGroups": [""], "resources": ["services"], "verbs": ["patch"]}, False),
    ],
)
def test_a_role_names_what_it_gives(rule: dict[str, Any], wrong: bool) -> None:
    assert _rules(_object("Role", rules=[rule])) == (["manifest/rights"] if wrong else [])


@pytest.mark.parametrize("kind", ["ClusterRole", "ClusterRoleBinding", "Namespace"])
def test_nothing_reaches_beyond_the_environment(kind: str) -> None:
    assert _rules(_object(kind)) == ["manifest/cluster"]


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["spec", "template", "containers", "securityContext", "capabilities", "drop", "image",
             "volumes", "resources", "limits", "rules", "verbs", "subjects", "sysctls", "name"]
        ),
        inner,
        max_size=4,
    ),
    max_leaves=20,
)  # fmt: skip


@given(kind=st.sampled_from([*OWNERS, "Role", "RoleBinding", "ServiceAccount"]), spec=_JSON)
def test_whatever_stands_in_a_manifest_the_rules_answer(kind: str, spec: Any) -> None:
    for manifest in (
        {"spec": spec},
        {"rules": spec, "subjects": spec},
        OWNERS["Pod"]({"spec": spec}),
    ):
        for finding in judge([_object(kind, **manifest)]):
            assert finding.rule.startswith("manifest/")
            assert finding.hint


# --- in a check -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def helm() -> Iterator[ChartRenderer]:
    made = HelmLibrary()
    yield made
    made.close()


def test_every_object_of_the_charts_is_judged_and_found_where_its_template_is(
    repository: SmallRepository, bench: Bench, helm: ChartRenderer
) -> None:
    repository.commit({**FILES, **CHARTS})
    part = judge_manifests(
        repository.change(), bench.workshop(repository, renderer=read_tree, charts=helm)
    )
    assert (part.broken, part.samples) == ("", 9), "deployment, hook, service in 3 environments"
    assert {finding.path for finding in part.findings} == {
        "charts/tiny/templates/deployment.yaml",
        "charts/tiny/templates/hook.yaml",
    }
    assert {finding.rule for finding in part.findings} >= {"manifest/root", "manifest/token"}
    assert len(part.findings) == len(set(part.findings)), "each once for all environments"


def test_a_chart_that_is_installed_once_is_judged_too(
    repository: SmallRepository, bench: Bench, helm: ChartRenderer
) -> None:
    pod = (
        "apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec:\n  hostNetwork: true\n"
        "  containers: []\n"
    )
    repository.commit(
        {
            **FILES,
            **CHARTS,
            "charts/database/Chart.yaml": "apiVersion: v2\nname: database\nversion: 0.1.0\n",
            "charts/database/templates/pod.yaml": pod,
        }
    )
    part = judge_manifests(
        repository.change(), bench.workshop(repository, renderer=read_tree, charts=helm)
    )
    assert "manifest/host" in {
        finding.rule for finding in part.findings if finding.path.startswith("charts/database/")
    }


def test_a_change_that_reaches_no_chart_renders_none(
    repository: SmallRepository, bench: Bench
) -> None:
    repository.commit({"pipelines/b.py": "B = 2\n"})
    part = judge_manifests(repository.change(), bench.workshop(repository))
    assert (part.samples, part.findings, part.broken) == (0, (), "")


@pytest.mark.parametrize("asked", [{}, {"renderer": read_tree}], ids=["nothing", "no helm"])
def test_charts_that_nobody_can_render_are_not_safe(
    repository: SmallRepository, bench: Bench, asked: dict[str, Any]
) -> None:
    repository.commit({**FILES, **CHARTS})
    part = judge_manifests(repository.change(), bench.workshop(repository, **asked))
    assert part.broken


def test_a_chart_that_does_not_render_is_not_safe(
    repository: SmallRepository, bench: Bench, helm: ChartRenderer
) -> None:
    repository.commit({**FILES, **CHARTS, "charts/edge/templates/service.yaml": "a: {{ fail 1 }}"})
    part = judge_manifests(
        repository.change(), bench.workshop(repository, renderer=read_tree, charts=helm)
    )
    assert "not all charts render" in part.broken


def test_rules_that_miss_the_planted_pod_are_not_believed(
    repository: SmallRepository, bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository.commit({**FILES, **CHARTS})
    monkeypatch.setattr(stage_part, "judge", lambda resources: iter(()))
    part = judge_manifests(repository.change(), bench.workshop(repository))
    assert "the planted pod was not found by" in part.broken


def test_the_charts_of_this_repository_are_safe(helm: ChartRenderer) -> None:
    found = render_charts(helm, Tree("c", ROOT, {}), read_tree(ROOT))
    assert found.findings == ()
    sets = [*found.objects.values(), *found.others.values()]
    assert sum(map(len, sets)) > 50
    assert [finding for one in sets for finding in judge(one)] == []
