"""Values that no chart takes, and how it says so."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from pipelines.engine.charts import ChartRenderer
from pipelines.model.errors import BadInput
from tests.support.charts import CHART_NAMES, CHARTS, own_values, text_of

WRONG = [
    ({"proceses": {}}, "unknown key 'proceses'"),
    ({"image": {"repo": "x"}}, "image: unknown key 'repo'"),
    ({"strategy": "canary"}, "strategy: value must be one of 'blueGreen', 'rollingUpdate'"),
    ({"slot": "red"}, "slot: value must be one of 'blue', 'green'"),
    ({"timing": {"waitSeconds": "long"}}, "timing.waitSeconds: got string, want integer"),
    ({"processes": {"api": {"replicas": 0}}}, "processes.api.replicas: minimum"),
    ({"processes": {"api": {"sockets": []}}}, "processes.api: unknown key 'sockets'"),
    ({"hooks": {"enabled": "yes"}}, "hooks.enabled: got string, want boolean"),
    ({"resources": {"limits": {"cpu": "a lot", "memory": "1Gi"}}}, "resources.limits.cpu"),
    ({"user": 0}, "user: minimum"),
    ({"environment": "test"}, "environment: value must be one of"),
    ({"release": {"id": "r 1"}}, "release.id: 'r 1' does not match"),
    ({"trading": []}, "trading: got array, want object"),
]


@pytest.mark.parametrize(("values", "words"), WRONG)
@pytest.mark.parametrize("chart", CHART_NAMES)
def test_a_wrong_value_is_refused_at_its_place(
    renderer: ChartRenderer, chart: str, values: dict[str, Any], words: str
) -> None:
    given = [*own_values("production"), values]
    with pytest.raises(BadInput) as refusal:
        renderer.render(CHARTS / chart, given, name="x", namespace="y")
    assert words in refusal.value.message
    assert f"charts/{chart}/README.md" in refusal.value.hint


def test_hooks_without_a_version_of_the_engine_are_refused(renderer: ChartRenderer) -> None:
    with pytest.raises(BadInput, match=r"hooks need engineImage\.tag"):
        text_of(renderer, "trading", hooks={"enabled": True}, engineImage={})


def test_the_application_s_own_settings_are_not_the_charts_business(
    renderer: ChartRenderer,
) -> None:
    text = text_of(renderer, "trading", trading={"anything": {"at": ["all", 1, None]}})
    assert '"anything"' in text


def test_two_processes_that_answer_requests_are_refused(renderer: ChartRenderer) -> None:
    with pytest.raises(BadInput, match="exactly one answers requests"):
        text_of(renderer, "edge", processes={"trader": {"live": True}})


def test_a_process_without_arguments_is_refused(renderer: ChartRenderer) -> None:
    with pytest.raises(BadInput, match=r"processes\.web\.args is missing"):
        text_of(renderer, "trading", processes={"web": {"live": False, "replicas": 1}})


@pytest.mark.parametrize("value", [date(2026, 1, 1), float("nan"), b"x"])
def test_what_json_cannot_say_is_refused(renderer: ChartRenderer, value: object) -> None:
    with pytest.raises(BadInput, match="what JSON cannot say"):
        text_of(renderer, "trading", trading={"from": value})


def test_a_folder_without_a_chart_is_refused(renderer: ChartRenderer, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"has no Chart\.yaml"):
        renderer.render(tmp_path, [], name="x", namespace="y")


def test_a_template_that_cannot_be_read_is_named(renderer: ChartRenderer, tmp_path: Path) -> None:
    chart = tmp_path / "edge"
    shutil.copytree(CHARTS / "edge", chart)
    (chart / "templates" / "broken.yaml").write_text("{{ if }}\n")
    with pytest.raises(BadInput, match=r"broken\.yaml"):
        renderer.render(chart, [], name="x", namespace="y")


def test_a_chart_that_changes_on_disk_is_read_again(
    renderer: ChartRenderer, tmp_path: Path
) -> None:
    chart = tmp_path / "edge"
    shutil.copytree(CHARTS / "edge", chart)
    before = renderer.render(chart, [], name="x", namespace="y")
    (chart / "templates" / "more.yaml").write_text("kind: More\nmetadata:\n  name: more\n")
    assert "kind: More" in renderer.render(chart, [], name="x", namespace="y")
    (chart / "templates" / "more.yaml").unlink()
    assert renderer.render(chart, [], name="x", namespace="y") == before
