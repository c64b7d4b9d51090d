"""The rights that Slipway needs on a cluster, and those that the Pulumi program gives."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

from pipelines.engine.charts import ChartRenderer
from pipelines.model.resource import Resource
from pipelines.targets.kubernetes.rights import rules
from pipelines.targets.kubernetes.slot_manifests import is_hook
from tests.support.charts import ENVIRONMENTS, EVERYTHING, objects

ACCESS = Path(__file__).parents[3] / "infra" / "components" / "access.py"
Right = tuple[str, str, str]
EVERY = {**EVERYTHING, "hooks": {"enabled": False}}
"""Hooks are Argo CD's to make: where Slipway syncs, it takes the steps itself."""


def given() -> set[Right]:
    """Read, not imported: Pulumi is not installed where these tests run."""
    wanted = {"LOOK", "CHANGE", "RULES"}
    found: dict[str, Any] = {}
    for node in ast.parse(ACCESS.read_text()).body:
        if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") in wanted:
            exec(compile(ast.Module([node], []), str(ACCESS), "exec"), found)
    return {
        (group, one, verb)
        for group, resources, verbs in found["RULES"]
        for one in resources
        for verb in verbs
    }


def rendered(renderer: ChartRenderer, environment: str, **over: Any) -> list[Resource]:
    found = [
        Resource(one)
        for chart in ("trading", "edge")
        for one in objects(renderer, chart, environment, **over)
    ]
    return [one for one in found if not is_hook(one)]


def needed(desired: list[Resource]) -> set[Right]:
    return {
        (rule["apiGroups"][0], rule["resources"][0], verb)
        for rule in rules(desired, "slipway-dev")
        for verb in rule["verbs"]
    }


def test_the_deployer_of_pulumi_may_do_exactly_what_the_charts_and_the_commands_need(
    renderer: ChartRenderer,
) -> None:
    ingress = needed(rendered(renderer, "production", **EVERY))
    route = needed(rendered(renderer, "production", **{**EVERY, "ingress": {"enabled": False}}))
    assert ingress | route == given()


def test_no_environment_needs_more_than_the_deployer_has(renderer: ChartRenderer) -> None:
    release = {"release": EVERYTHING["release"]}
    for environment in ENVIRONMENTS:
        assert needed(rendered(renderer, environment, **release)) <= given()


def test_nobody_needs_secrets_roles_or_shells_that_stay_open(renderer: ChartRenderer) -> None:
    found = needed(rendered(renderer, "production", **EVERY))
    resources = {resource for _, resource, _ in found}
    assert not resources & {"secrets", "roles", "rolebindings", "pods/attach", "namespaces"}
    assert not {verb for _, _, verb in found} & {"*", "deletecollection", "escalate", "bind"}
