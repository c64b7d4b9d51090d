"""charts/trading: what one slot runs."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from pipelines.engine.charts import ChartRenderer
from pipelines.model import application_yaml
from tests.support.charts import CHARTS, ENVIRONMENTS, ROOT, objects, of_kind, own_values

PROCESSES = application_yaml.parse((ROOT / application_yaml.FILE).read_text()).processes


@pytest.mark.parametrize("chart", ["trading", "edge"])
def test_the_chart_lists_the_processes_of_the_application_s_contract(chart: str) -> None:
    values = yaml.safe_load((CHARTS / chart / "values.yaml").read_text())
    listed = {name: (row["args"], row["live"]) for name, row in values["processes"].items()}
    assert listed == {p.name: (list(p.args), "live" in p.sockets) for p in PROCESSES}


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_each_process_is_a_deployment_of_the_slot(
    renderer: ChartRenderer, environment: str
) -> None:
    found = of_kind(objects(renderer, "trading", environment, slot="green"), "Deployment")
    assert set(found) == {f"trading-green-{process.name}" for process in PROCESSES}
    for item in found.values():
        labels = item["spec"]["template"]["metadata"]["labels"]
        assert item["spec"]["selector"]["matchLabels"].items() <= labels.items()
        assert labels["slipway.dev/slot"] == "green"
        assert "slipway.dev/release" not in item["spec"]["selector"]["matchLabels"]


def test_production_s_pods_get_1_to_2_cpu_and_2_to_4_gib(renderer: ChartRenderer) -> None:
    for item in of_kind(objects(renderer, "trading"), "Deployment").values():
        (container,) = item["spec"]["template"]["spec"]["containers"]
        assert container["resources"] == {
            "requests": {"cpu": "1", "memory": "2Gi"},
            "limits": {"cpu": "2", "memory": "4Gi"},
        }


@pytest.mark.parametrize("environment", ["dev", "staging"])
def test_both_slots_of_a_small_environment_ask_for_less_than_one_cpu(
    renderer: ChartRenderer, environment: str
) -> None:
    asked = 0.0
    for item in of_kind(objects(renderer, "trading", environment), "Deployment").values():
        (container,) = item["spec"]["template"]["spec"]["containers"]
        cpu = container["resources"]["requests"]["cpu"]
        asked += item["spec"]["replicas"] * float(cpu.removesuffix("m")) / 1000
    assert 2 * asked < 1


def test_three_probes_ask_the_process_s_own_port(renderer: ChartRenderer) -> None:
    """What serves requests stays in its Service while the database is in trouble, once it was ready."""
    for name, item in of_kind(objects(renderer, "trading"), "Deployment").items():
        (container,) = item["spec"]["template"]["spec"]["containers"]
        gets = "live" if name.endswith("-api") else "ready"
        for probe, path in (("startup", "startup"), ("readiness", gets), ("liveness", "live")):
            assert container[f"{probe}Probe"]["httpGet"] == {
                "path": f"/health/{path}", "port": "http",
            }  # fmt: skip
        assert container["ports"] == [{"name": "http", "containerPort": 8080}]


def test_a_live_pod_is_out_of_its_service_before_it_is_told_to_end(renderer: ChartRenderer) -> None:
    spec = of_kind(objects(renderer, "trading"), "Deployment")["trading-blue-api"]["spec"]
    pod = spec["template"]["spec"]
    waits = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    assert 0 < waits < pod["terminationGracePeriodSeconds"] - 5  # the contract's SIGTERM needs 5 s
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    keys = [row["topologyKey"] for row in pod["topologySpreadConstraints"]]
    assert keys == ["topology.kubernetes.io/zone", "kubernetes.io/hostname"]


def test_the_trader_is_alone_in_its_slot(renderer: ChartRenderer) -> None:
    for strategy in ("blueGreen", "rollingUpdate"):
        found = of_kind(objects(renderer, "trading", strategy=strategy), "Deployment")
        (trader,) = [item for name, item in found.items() if name.endswith("trader")]
        assert trader["spec"]["replicas"] == 1
        assert trader["spec"]["strategy"] == {"type": "Recreate"}


def test_with_an_autoscaler_the_live_deployment_says_no_number(renderer: ChartRenderer) -> None:
    found = of_kind(
        objects(renderer, "trading", "dev", autoscaling={"enabled": True}), "Deployment"
    )
    assert "replicas" not in found["trading-blue-api"]["spec"]
    assert found["trading-blue-trader"]["spec"]["replicas"] == 1


def test_a_rolling_update_has_one_set_of_three_without_a_slot(renderer: ChartRenderer) -> None:
    off = {"enabled": False}
    rolling = objects(renderer, "trading", strategy="rollingUpdate", autoscaling=off)
    found = of_kind(rolling, "Deployment")
    assert set(found) == {"trading-api", "trading-trader"}
    spec = found["trading-api"]["spec"]
    assert spec["replicas"] == 3
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": 1, "maxUnavailable": 0}
    assert "slipway.dev/slot" not in spec["selector"]["matchLabels"]


def test_settings_are_named_by_their_content_so_that_they_roll_back_with_code(
    renderer: ChartRenderer,
) -> None:
    def name(**risk: int) -> str:
        found = objects(renderer, "trading", trading={"risk": risk})
        (config,) = of_kind(found, "ConfigMap").values()
        for item in of_kind(found, "Deployment").values():
            assert config["metadata"]["name"] in str(item["spec"]["template"]["spec"]["volumes"])
        return str(config["metadata"]["name"])

    before = name(max_order_quantity=1)
    assert name(max_order_quantity=2) != before
    assert name(max_order_quantity=1) == before


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_application_reads_the_numbers_that_people_wrote(
    renderer: ChartRenderer, environment: str
) -> None:
    """Helm's own YAML writes 10000000000 as 1e+10, which is a text to a YAML reader."""
    from pipelines.model.values import merge

    (config,) = of_kind(objects(renderer, "trading", environment), "ConfigMap").values()
    base, own = own_values(environment)
    expected = merge(base, own, "values.yaml")["trading"]
    assert json.loads(config["data"]["values.yaml"]) == {"trading": expected}
    assert yaml.safe_load(config["data"]["values.yaml"]) == {"trading": expected}


def test_a_process_gets_what_the_contract_promises_and_no_secret_by_variable(
    renderer: ChartRenderer,
) -> None:
    found = of_kind(
        objects(renderer, "trading", release={"id": "r-7", "commit": "c"}), "Deployment"
    )
    pod = found["trading-blue-api"]["spec"]["template"]["spec"]
    given = {row["name"]: row.get("value") for row in pod["containers"][0]["env"]}
    assert given["SLIPWAY_LISTEN"] == "0.0.0.0:8080"
    assert given["SLIPWAY_TRAFFIC"] == "row"
    assert given["SLIPWAY_RELEASE"] == "r-7"
    assert given["SLIPWAY_DATABASE_URL_FILE"] == "/etc/slipway/secrets/database-url"
    assert pod["containers"][0]["image"].endswith(":r-7")
    assert not any("valueFrom" in row for row in pod["containers"][0]["env"])
    assert Path(given["SLIPWAY_VALUES"] or "").parent.as_posix() in str(pod["containers"][0])
