"""A renderer that says what it was told, and releases to be rendered: for what needs no Helm."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from pipelines.model.environment import AnalysisSettings, EnvironmentSettings, KubernetesSettings
from pipelines.model.errors import BadInput
from pipelines.model.release import Application, ProcessSpec, Release
from pipelines.model.values import merge

PLACE = KubernetesSettings("tiny-dev", "registry.example.com/tiny")


class Mirror:
    """`engine.charts.ChartRenderer`: one config map that holds the values it was given."""

    def render(
        self, chart: Path, values: Sequence[Mapping[str, Any]], *, name: str, namespace: str
    ) -> str:
        if (chart / "broken").exists():
            raise BadInput(f"charts/{chart.name}: a template failed", hint="helm lint")
        merged: dict[str, Any] = {}
        for layer in values:
            merged = merge(merged, layer, "values")
        return yaml.safe_dump(
            {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": name, "namespace": namespace},
                "data": {"values": yaml.safe_dump(merged)},
            }
        )


def told(text: str) -> dict[str, Any]:
    """The values that a text of `Mirror` was rendered with."""
    found: dict[str, Any] = yaml.safe_load(yaml.safe_load(text)["data"]["values"])
    return found


def release(identity: str = "r-1", **values: Any) -> Release:
    processes = (
        ProcessSpec("api", ("serve", "api"), ("live", "slot")),
        ProcessSpec("trader", ("serve", "trader"), ("control",)),
    )
    return Release(
        id=identity,
        version="1.4.0",
        source_commit="c" * 40,
        source_author="Ada <ada@example.org>",
        source_subject="Change",
        built_at="2026-03-02T12:00:00+00:00",
        artifact="sha256:aa",
        wheel="tiny.whl",
        parts={},
        migrations=("0001", "0002"),
        strategies={},
        application=Application("tiny", "tiny", processes, (), {}),
        values={"dev": values},
    )


def settings(place: KubernetesSettings | None = PLACE) -> EnvironmentSettings:
    return EnvironmentSettings(
        *("dev", "kubernetes" if place else "local", 30.0, 24.0, False),
        analysis=AnalysisSettings(),
        kubernetes=place,
    )


def charts(folder: Path, *names: str) -> Path:
    """A release's source with empty charts, `tiny` and `edge` when none is named."""
    for name in names or ("tiny", "edge"):
        chart = folder / "charts" / name
        chart.mkdir(parents=True)
        (chart / "Chart.yaml").write_text(f"apiVersion: v2\nname: {name}\nversion: 0.1.0\n")
    return folder
