"""charts/edge: what leads to the slots."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.engine.charts import ChartRenderer
from tests.support.charts import EVERYTHING, objects, of_kind

SLOTTED = {"trading-blue-api", "trading-green-api"}


@pytest.mark.parametrize(("active", "idle"), [("blue", "green"), ("green", "blue")])
def test_one_service_leads_to_the_active_slot_and_one_to_the_other(
    renderer: ChartRenderer, active: str, idle: str
) -> None:
    found = of_kind(objects(renderer, "edge", activeSlot=active), "Service")
    slots = {name: item["spec"]["selector"]["slipway.dev/slot"] for name, item in found.items()}
    assert slots == {"trading": active, "trading-preview": idle}


def test_services_select_what_the_slots_run(renderer: ChartRenderer) -> None:
    for strategy in ("blueGreen", "rollingUpdate"):
        services = of_kind(objects(renderer, "edge", strategy=strategy), "Service")
        deployments = of_kind(objects(renderer, "trading", strategy=strategy), "Deployment")
        (api,) = [item for name, item in deployments.items() if name.endswith("-api")]
        labels = api["spec"]["template"]["metadata"]["labels"]
        assert services["trading"]["spec"]["selector"].items() <= labels.items()
        assert len(services) == (2 if strategy == "blueGreen" else 1)


def test_each_slot_has_an_autoscaler_of_3_to_10_on_cpu_and_memory(renderer: ChartRenderer) -> None:
    found = of_kind(objects(renderer, "edge"), "HorizontalPodAutoscaler")
    assert set(found) == SLOTTED
    for name, item in found.items():
        spec = item["spec"]
        assert spec["scaleTargetRef"]["name"] == name
        assert (spec["minReplicas"], spec["maxReplicas"]) == (3, 10)
        assert {metric["resource"]["name"] for metric in spec["metrics"]} == {"cpu", "memory"}


def test_each_slot_has_a_budget_that_a_drain_can_keep(renderer: ChartRenderer) -> None:
    found = of_kind(objects(renderer, "edge"), "PodDisruptionBudget")
    assert set(found) == SLOTTED
    assert {item["spec"]["maxUnavailable"] for item in found.values()} == {1}


@pytest.mark.parametrize(
    ("strategy", "names"), [("blueGreen", SLOTTED), ("rollingUpdate", {"trading-api"})]
)
def test_autoscalers_and_budgets_name_deployments_that_exist(
    renderer: ChartRenderer, strategy: str, names: set[str]
) -> None:
    found = objects(renderer, "edge", strategy=strategy)
    assert set(of_kind(found, "HorizontalPodAutoscaler")) == names
    assert set(of_kind(found, "PodDisruptionBudget")) == names


def test_dev_has_neither_route_nor_autoscaler(renderer: ChartRenderer) -> None:
    kinds = {item["kind"] for item in objects(renderer, "edge", "dev")}
    assert kinds == {"Service", "NetworkPolicy", "PodDisruptionBudget"}


def test_routes_lead_to_the_active_service(renderer: ChartRenderer) -> None:
    found = objects(renderer, "edge", **EVERYTHING)
    (ingress,) = of_kind(found, "Ingress").values()
    (path,) = ingress["spec"]["rules"][0]["http"]["paths"]
    assert path["backend"]["service"] == {"name": "trading", "port": {"name": "http"}}
    (route,) = of_kind(found, "HTTPRoute").values()
    assert route["spec"]["rules"][0]["backendRefs"] == [{"name": "trading", "port": 80}]


def policy(renderer: ChartRenderer, name: str, **over: Any) -> Any:
    return of_kind(objects(renderer, "edge", **over), "NetworkPolicy")[name]["spec"]


def test_slots_may_ask_for_names_and_call_database_and_venue_and_nothing_else(
    renderer: ChartRenderer,
) -> None:
    spec = policy(renderer, "trading-slots")
    assert spec["policyTypes"] == ["Ingress", "Egress"]
    ports = [sorted(row["port"] for row in rule["ports"]) for rule in spec["egress"]]
    assert ports == [[5432], [8080], [53, 53]]
    assert all(rule["to"] for rule in spec["egress"])
    (rule,) = spec["ingress"]
    assert [row["port"] for row in rule["ports"]] == [8080]


def test_strangers_reach_only_the_live_process_and_only_where_they_are_named(
    renderer: ChartRenderer,
) -> None:
    peers = [{"namespaceSelector": {"matchLabels": {"name": "ingress"}}}]
    spec = policy(renderer, "trading-live", networkPolicy={"from": peers})
    assert spec["ingress"][0]["from"] == peers
    assert spec["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "api"
    assert "trading-live" not in of_kind(objects(renderer, "edge"), "NetworkPolicy")


def test_only_hooks_reach_the_api_server(renderer: ChartRenderer) -> None:
    spec = policy(renderer, "trading-hooks")
    assert spec["podSelector"]["matchLabels"]["app.kubernetes.io/component"] == "hook"
    assert [row["port"] for row in spec["egress"][1]["ports"]] == [443, 6443]
