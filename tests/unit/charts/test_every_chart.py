"""What holds for every object of every chart, in every environment."""

from __future__ import annotations

import re

import pytest
import yaml

from pipelines.engine.charts import ChartRenderer
from tests.support.chart_files import files
from tests.support.charts import (
    CHART_NAMES,
    CHARTS,
    ENVIRONMENTS,
    EVERYTHING,
    Object,
    objects,
    pod_specs,
)
from tests.support.pod_security import containers, violations

STRATEGIES = ("blueGreen", "rollingUpdate")
DATABASES = ("cloudNativePG", "statefulSet", "external")
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,61}[a-z0-9])?")
_LABEL = re.compile(r"([A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?)?")


def rendered(renderer: ChartRenderer, chart: str, environment: str) -> list[Object]:
    """All that a chart can say, in both strategies and with every kind of database."""
    return [
        found
        for strategy in STRATEGIES
        for mode in DATABASES
        for found in objects(
            renderer, chart, environment, **EVERYTHING, strategy=strategy, database={"mode": mode}
        )
    ]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("chart", CHART_NAMES)
def test_every_pod_keeps_the_restricted_standard(
    renderer: ChartRenderer, chart: str, environment: str
) -> None:
    specs = pod_specs(rendered(renderer, chart, environment))
    assert {name: words for name, spec in specs.items() if (words := violations(spec))} == {}
    assert specs or chart == "edge"


@pytest.mark.parametrize("chart", CHART_NAMES)
def test_no_pod_is_given_a_token_it_did_not_ask_for(renderer: ChartRenderer, chart: str) -> None:
    found = rendered(renderer, chart, "production")
    specs = pod_specs(found)
    assert [n for n, spec in specs.items() if spec["automountServiceAccountToken"]] == []
    accounts = [item for item in found if item["kind"] == "ServiceAccount"]
    assert [item for item in accounts if item["automountServiceAccountToken"]] == []
    asked = {name for name, spec in specs.items() if "serviceAccountToken" in str(spec["volumes"])}
    assert all(name.endswith(("-verify", "-switch", "-controller")) for name in asked)


@pytest.mark.parametrize("chart", CHART_NAMES)
def test_every_container_says_what_it_needs_and_may_use(
    renderer: ChartRenderer, chart: str
) -> None:
    for name, spec in pod_specs(rendered(renderer, chart, "production")).items():
        for container in containers(spec):
            asked = container["resources"]
            assert {"cpu", "memory"} == set(asked["requests"]) == set(asked["limits"]), name
            assert container["securityContext"]["readOnlyRootFilesystem"] is True, name


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("chart", CHART_NAMES)
def test_objects_are_well_formed_and_stay_in_the_release_s_namespace(
    renderer: ChartRenderer, chart: str, environment: str
) -> None:
    for item in rendered(renderer, chart, environment):
        metadata = item["metadata"]
        assert "/" in item["apiVersion"] or item["apiVersion"] == "v1"
        assert _NAME.fullmatch(metadata["name"]), metadata["name"]
        assert metadata.get("namespace", f"slipway-{environment}") == f"slipway-{environment}"
        assert metadata["labels"]["slipway.dev/environment"] == environment
        assert all(_LABEL.fullmatch(value) for value in metadata["labels"].values()), metadata
        assert all(isinstance(v, str) for v in (metadata.get("annotations") or {}).values())


@pytest.mark.parametrize("chart", CHART_NAMES)
def test_no_two_objects_of_a_chart_have_one_name(renderer: ChartRenderer, chart: str) -> None:
    found = objects(renderer, chart, "production", **EVERYTHING)
    names = [(item["kind"], item["metadata"]["name"]) for item in found]
    assert len(names) == len(set(names))


def test_what_is_generated_in_charts_is_up_to_date() -> None:
    assert [str(p) for p, text in files().items() if p.read_text() != text] == [], (
        "run scripts/charts"
    )


def test_a_key_of_several_charts_has_one_default() -> None:
    """They get the same value files, so a person must not have to know which chart reads a key."""
    seen: dict[str, object] = {}
    different = []
    for chart in CHART_NAMES:
        values = yaml.safe_load((CHARTS / chart / "values.yaml").read_text())
        for place, value in _leaves(values):
            if seen.setdefault(place, value) != value:
                different.append(place)
    assert different == []


def _leaves(value: object, place: str = "") -> list[tuple[str, object]]:
    if isinstance(value, dict) and value:
        return [leaf for key, part in value.items() for leaf in _leaves(part, f"{place}.{key}")]
    return [(place, value)]
