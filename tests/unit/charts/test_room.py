"""What the charts ask for against what Pulumi gives the environment's namespace."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import pytest
import yaml

from pipelines.engine.charts import ChartRenderer
from tests.support.charts import ENGINE, ENVIRONMENTS, EVERYTHING, ROOT, Object, objects
from tests.support.pod_security import containers

_MEBIBYTES = {"Ki": 1 / 1024, "Mi": 1.0, "Gi": 1024.0}


def quota(environment: str) -> Mapping[str, Any]:
    stack = yaml.safe_load((ROOT / f"environments/Pulumi.{environment}.yaml").read_text())
    found: Mapping[str, Any] = stack["config"]["slipway:environment"]
    return found


def millicores(text: str) -> float:
    return float(text[:-1]) if text.endswith("m") else float(text) * 1000


def mebibytes(text: str) -> float:
    found = re.fullmatch(r"([0-9.]+)(Ki|Mi|Gi)", text)
    assert found, text
    return float(found[1]) * _MEBIBYTES[found[2]]


def limits(spec: Mapping[str, Any]) -> tuple[float, float]:
    """Of one pod, as a quota counts it: the larger of its containers together and each init one."""
    told = [
        (millicores(c["resources"]["limits"]["cpu"]), mebibytes(c["resources"]["limits"]["memory"]))
        for c in spec["containers"]
    ]
    first = [
        (millicores(c["resources"]["limits"]["cpu"]), mebibytes(c["resources"]["limits"]["memory"]))
        for c in spec.get("initContainers") or []
    ]
    together = (sum(cpu for cpu, _ in told), sum(memory for _, memory in told))
    rows = [together, *first]
    return max(cpu for cpu, _ in rows), max(memory for _, memory in rows)


def most_pods(renderer: ChartRenderer, environment: str) -> list[tuple[int, Mapping[str, Any]]]:
    """(pods, spec): the active slot at its autoscaler's most, the idle one as it starts, and one
    more pod of each live process while it is replaced; database, venue, controller, one hook at a time."""
    edge = objects(renderer, "edge", environment)
    scaled = [item["spec"] for item in edge if item["kind"] == "HorizontalPodAutoscaler"]
    found: list[tuple[int, Mapping[str, Any]]] = []
    for item in objects(
        renderer, "trading", environment, hooks={"enabled": True}, engineImage=ENGINE
    ):
        if item["kind"] == "Deployment":
            replicas = item["spec"].get("replicas")
            least, most = (
                (replicas, replicas)
                if replicas
                else (scaled[0]["minReplicas"], scaled[0]["maxReplicas"])
            )
            surge = 1 if item["spec"]["strategy"]["type"] == "RollingUpdate" else 0
            found.append((most + least + surge, item["spec"]["template"]["spec"]))
        if item["kind"] == "Job" and item["metadata"]["name"].endswith("switch"):
            found.append((1, item["spec"]["template"]["spec"]))
    for chart in ("database", "venue", "controller"):
        told = {"controller": EVERYTHING["controller"], "engineImage": ENGINE}
        rows = objects(renderer, chart, environment, **told)
        found += [row for item in rows for row in _fixed(item)]
    return found


def _fixed(item: Object) -> list[tuple[int, Mapping[str, Any]]]:
    spec = item.get("spec") or {}
    if item["kind"] in ("StatefulSet", "Deployment"):
        return [(spec["replicas"], spec["template"]["spec"])]
    if item["kind"] == "Cluster":  # the operator gives each server what the cluster says
        return [(spec["instances"], {"containers": [{"resources": spec["resources"]}]})]
    return []


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_both_slots_database_venue_controller_and_a_hook_fit_into_the_quota(
    renderer: ChartRenderer, environment: str
) -> None:
    room = quota(environment)["quota"]
    rows = [(pods, limits(spec)) for pods, spec in most_pods(renderer, environment)]
    assert sum(pods for pods, _ in rows) <= room["pods"]
    assert sum(pods * cpu for pods, (cpu, _) in rows) <= room["cpu_millicores"]
    assert sum(pods * memory for pods, (_, memory) in rows) <= room["memory_mib"]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_no_container_asks_for_more_than_one_may_have(
    renderer: ChartRenderer, environment: str
) -> None:
    most = quota(environment)["container"]
    for _, spec in most_pods(renderer, environment):
        for container in containers(spec):
            told = container["resources"]["limits"]
            assert millicores(told["cpu"]) <= most["max_cpu_millicores"]
            assert mebibytes(told["memory"]) <= most["max_memory_mib"]
