"""charts/controller: Slipway's syncer as a Deployment, and the rights that belong to it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.engine.charts import ChartRenderer
from pipelines.model.errors import BadInput
from pipelines.model.resource import Resource
from pipelines.targets.kubernetes.controller_rights import ACCOUNT, controller_rights
from pipelines.wiring_in_cluster import read_applications
from tests.support.charts import ENVIRONMENTS, EVERYTHING, ROOT, Object, objects, of_kind

NAMES = ("application.yaml", "application-edge.yaml")
Right = tuple[str, str, str]


def installed(renderer: ChartRenderer, environment: str, **told: Any) -> list[Object]:
    """As with --set-file controller.applications.…"""
    texts = [(ROOT / "environments" / environment / name).read_text() for name in NAMES]
    applications = dict(zip(("slots", "edge"), texts, strict=True))
    controller = {"applications": applications, **told}
    return objects(
        renderer, "controller", environment, controller=controller, engineImage={"tag": "e-1"}
    )


def arguments(found: list[Object]) -> list[str]:
    (deployment,) = of_kind(found, "Deployment").values()
    (container,) = deployment["spec"]["template"]["spec"]["containers"]
    return [*container["command"], *container["args"]]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_controller_reads_the_very_applications_that_argo_cd_would(
    renderer: ChartRenderer, environment: str, tmp_path: Path
) -> None:
    found = installed(renderer, environment)
    (files,) = of_kind(found, "ConfigMap").values()
    named = [w.partition("=")[2] for w in arguments(found) if w.startswith("--application=")]
    assert sorted(Path(name).name for name in named) == ["edge.yaml", "slots.yaml"]
    here = []
    for name in named:
        here.append(tmp_path / Path(name).name)
        here[-1].write_text(files["data"][here[-1].name])
    read = read_applications(here, environment, "")
    assert {one.path for one in read} == {"slots", "edge"}
    assert {one.settings.namespace for one in read} == {f"slipway-{environment}"}


def test_one_acts_and_the_old_one_is_gone_before_the_new_one_starts(
    renderer: ChartRenderer,
) -> None:
    (deployment,) = of_kind(installed(renderer, "dev"), "Deployment").values()
    assert deployment["spec"]["replicas"] == 1
    assert deployment["spec"]["strategy"] == {"type": "Recreate"}


def test_credentials_are_a_mounted_file_and_never_an_argument(renderer: ChartRenderer) -> None:
    # not-a-secret: the name of a Secret
    found = installed(renderer, "dev", credentials={"secret": "git-login"})
    (deployment,) = of_kind(found, "Deployment").values()
    spec = deployment["spec"]["template"]["spec"]
    (volume,) = [one for one in spec["volumes"] if "secret" in one]
    assert volume["secret"]["secretName"] == "git-login"
    assert "--credentials=/etc/slipway/credentials" in arguments(found)
    assert not [word for word in arguments(installed(renderer, "dev")) if "credentials" in word]


def test_without_applications_nothing_is_installed(renderer: ChartRenderer) -> None:
    assert objects(renderer, "controller", "dev") == []


def test_an_engine_without_a_tag_is_refused(renderer: ChartRenderer) -> None:
    with pytest.raises(BadInput, match=r"needs engineImage\.tag"):
        objects(renderer, "controller", "dev", controller={"applications": {"slots": "x"}})


def test_a_change_of_an_application_starts_the_controller_anew(renderer: ChartRenderer) -> None:
    def settings(text: str) -> str:
        found = objects(
            renderer, "controller", "dev",
            controller={"applications": {"slots": text}}, engineImage={"tag": "e-1"},
        )  # fmt: skip
        (deployment,) = of_kind(found, "Deployment").values()
        return str(
            deployment["spec"]["template"]["metadata"]["annotations"]["slipway.dev/settings"]
        )

    assert settings("a") != settings("b")


# --- rights --------------------------------------------------------------------------------------
def rights(renderer: ChartRenderer, environment: str) -> set[Right]:
    desired = [
        Resource(one)
        for chart, slot in (("trading", "blue"), ("trading", "green"), ("edge", "blue"))
        for one in objects(renderer, chart, environment, **EVERYTHING, slot=slot)
    ]
    role, _ = controller_rights(desired, f"slipway-{environment}")
    return {
        (group, plural, verb)
        for rule in role["rules"]
        for group in rule["apiGroups"]
        for plural in rule["resources"]
        for verb in rule["verbs"]
    }


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_controller_reads_no_secret_and_cannot_give_itself_more(
    renderer: ChartRenderer, environment: str
) -> None:
    found = rights(renderer, environment)
    assert not {plural for _, plural, _ in found} & {"secrets", "namespaces", "pods/attach"}
    assert not {verb for _, _, verb in found} & {"*", "escalate", "deletecollection"}


def test_the_controller_has_every_right_that_it_gives_to_hooks(renderer: ChartRenderer) -> None:
    found = rights(renderer, "production")
    slots = objects(renderer, "trading", "production", **EVERYTHING)
    given = [rule for role in of_kind(slots, "Role").values() for rule in role["rules"]]
    assert given
    for rule in given:
        for plural in rule["resources"]:
            for verb in rule["verbs"]:
                assert (rule["apiGroups"][0], plural, verb) in found


def test_roles_and_their_bindings_are_named_one_by_one(renderer: ChartRenderer) -> None:
    desired = [Resource(one) for one in objects(renderer, "trading", "dev", **EVERYTHING)]
    role, binding = controller_rights(desired, "slipway-dev")
    open_ones = [
        set(rule["verbs"])
        for rule in role["rules"]
        if rule["resources"] in (["roles"], ["rolebindings"]) and "resourceNames" not in rule
    ]
    assert open_ones == [{"list", "watch"}, {"list", "watch"}]
    named = {name for rule in role["rules"] for name in rule.get("resourceNames", ())}
    bound = [rule for rule in role["rules"] if "bind" in rule["verbs"]]
    assert bound
    assert all(set(rule["resourceNames"]) <= named for rule in bound)
    assert binding["subjects"][0]["name"] == ACCOUNT


def test_who_shall_make_the_namespace_may_see_all_of_them_and_write_this_one() -> None:
    role, binding = controller_rights([], "slipway-dev", frozenset({"CreateNamespace"}))[2:]
    assert (role["kind"], binding["kind"]) == ("ClusterRole", "ClusterRoleBinding")
    assert role["metadata"] == {"name": "slipway-controller-in-cluster-slipway-dev"}
    assert {"".join(rule.get("resourceNames", ())): rule["verbs"] for rule in role["rules"]} == {
        "": ["list", "watch"],
        "slipway-dev": ["create", "get", "patch"],
    }
    assert {name for rule in role["rules"] for name in rule["resources"]} == {"namespaces"}
    assert binding["roleRef"]["name"] == role["metadata"]["name"]
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": ACCOUNT, "namespace": "slipway-dev"}
    ]
    assert len(controller_rights([], "slipway-dev", frozenset({"Replace"}))) == 2


def test_the_script_goes_by_the_options_of_the_applications(tmp_path: Path) -> None:
    text = (ROOT / "environments/dev/application.yaml").read_text()
    file = tmp_path / "application.yaml"
    kinds = {}
    for option in ("CreateNamespace=true", "CreateNamespace=perhaps"):
        file.write_text(text.replace("ServerSideApply=true", option))
        words = ["dev", "--controller", "--application", str(file)]
        done = subprocess.run(
            [sys.executable, "scripts/kubernetes-rights", *words],
            cwd=ROOT, capture_output=True, text=True, check=False,
        )  # fmt: skip
        kinds[option] = [one["kind"] for one in yaml.safe_load_all(done.stdout)]
    assert kinds["CreateNamespace=true"] == [
        "Role", "RoleBinding", "ClusterRole", "ClusterRoleBinding",
    ]  # fmt: skip
    assert (done.returncode, kinds["CreateNamespace=perhaps"]) == (2, [])
    assert "'CreateNamespace=perhaps' is not supported" in done.stderr


def test_the_script_prints_role_and_binding_for_the_account_of_the_chart(
    renderer: ChartRenderer,
) -> None:
    done = subprocess.run(
        [sys.executable, "scripts/kubernetes-rights", "dev", "--controller", "--namespace", "mine"],
        cwd=ROOT, capture_output=True, text=True, check=True,
    )  # fmt: skip
    role, binding = yaml.safe_load_all(done.stdout)
    (account,) = of_kind(installed(renderer, "dev"), "ServiceAccount").values()
    assert (role["kind"], binding["kind"]) == ("Role", "RoleBinding")
    assert role["metadata"]["namespace"] == "mine"
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": account["metadata"]["name"], "namespace": "mine"}
    ]
