"""Rendering the repository's charts as the engine does, into objects."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from pipelines.engine.charts import ChartRenderer
from tests.support.chart_files import NAMES

ROOT = Path(__file__).parents[2]
CHARTS = ROOT / "charts"
ENVIRONMENTS = ("dev", "staging", "production")
CHART_NAMES = NAMES
Object = Mapping[str, Any]
ENGINE = {"tag": "e-1"}
EVERYTHING: Mapping[str, Any] = {
    "engineImage": ENGINE,
    "hooks": {"enabled": True},
    # not-a-secret: the name of a Secret
    "ingress": {"enabled": True, "tlsSecret": "certificate", "className": "nginx"},
    "gateway": {"enabled": True, "namespace": "gateways"},
    "autoscaling": {"enabled": True},
    "networkPolicy": {"from": [{"namespaceSelector": {}}]},
    "controller": {
        "applications": {"slots": "kind: Application\n"},
        "credentials": {"secret": "git"},  # not-a-secret: the name of a Secret
    },
    "release": {"id": "r-1", "artifact": "a" * 64, "migrations": "m1"},
}


def own_values(environment: str) -> list[Mapping[str, Any]]:
    """As `-f environments/base/values.yaml -f environments/<env>/values.yaml`."""
    return [
        yaml.safe_load((ROOT / "environments" / name / "values.yaml").read_text())
        for name in ("base", environment)
    ]


def text_of(
    renderer: ChartRenderer, chart: str, environment: str = "production", **over: Any
) -> str:
    values = [*own_values(environment), over]
    return renderer.render(CHARTS / chart, values, name=chart, namespace=f"slipway-{environment}")


def objects(
    renderer: ChartRenderer, chart: str, environment: str = "production", **over: Any
) -> list[Object]:
    text = text_of(renderer, chart, environment, **over)
    return [found for found in yaml.load_all(text, yaml.CSafeLoader) if found]


def of_kind(found: list[Object], kind: str) -> dict[str, Object]:
    """Name → object."""
    return {item["metadata"]["name"]: item for item in found if item["kind"] == kind}


def pod_specs(found: list[Object]) -> dict[str, Mapping[str, Any]]:
    """`Kind name` → spec of its pods."""
    specs = {}
    for item in found:
        spec = item.get("spec") or {}
        if item["kind"] == "Pod":
            specs[f"Pod {item['metadata']['name']}"] = spec
        elif "template" in spec:
            specs[f"{item['kind']} {item['metadata']['name']}"] = spec["template"]["spec"]
    return specs
