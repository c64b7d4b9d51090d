"""How a check comes to Helm: beside the engine, in an environment of its own, as a program; or red."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.adapters import check_charts
from pipelines.adapters.check_charts import LOCK, CheckCharts
from pipelines.adapters.check_environments import CheckEnvironments
from pipelines.adapters.kubernetes.helm_program import HelmProgram
from pipelines.model.errors import Unavailable

ROOT = Path(__file__).parents[2]


class Place:
    def __init__(self, folder: Path, lock: Path) -> None:
        environments = CheckEnvironments(folder / "environments", folder / "no-tools")
        self.charts = CheckCharts(environments, lock)

    def render(self) -> str:
        chart = ROOT / "charts" / "edge"
        return self.charts.render(chart, [{}], name="trading-edge", namespace="slipway-dev")


@pytest.fixture
def no_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """An engine on one machine."""
    monkeypatch.delenv("HELM", raising=False)
    monkeypatch.setattr(check_charts.importlib.util, "find_spec", lambda name: None)  # type: ignore[attr-defined]


@pytest.fixture
def place(tmp_path: Path) -> Iterator[Place]:
    made = Place(tmp_path, ROOT / LOCK)
    yield made
    made.charts.close()


@pytest.mark.usefixtures("no_library")
def test_an_engine_without_the_library_renders_with_that_of_its_own_lock(
    place: Place, tmp_path: Path
) -> None:
    text = place.render()
    assert "kind: Service" in text
    (home,) = [p for p in (tmp_path / "environments").iterdir() if not p.name.startswith(".")]
    assert (home / "bin" / "python").exists()


@pytest.mark.usefixtures("no_library")
def test_without_library_lock_and_program_a_chart_is_not_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Unavailable, match="charts cannot be rendered") as refused:
        Place(tmp_path, tmp_path / "no-lock").render()
    assert "helm" in refused.value.hint


def test_a_program_that_somebody_names_is_used(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HELM", "/nowhere/helm")
    with pytest.raises(Unavailable, match="/nowhere/helm"):
        place.render()
    assert isinstance(place.charts._chosen, HelmProgram)
