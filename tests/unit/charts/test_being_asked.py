"""Argo CD syncs when something differs, and hooks do not count: what makes it run them."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from pipelines.engine.charts import ChartRenderer
from tests.support.charts import ENGINE, ENVIRONMENTS, ROOT, Object, objects, of_kind


def asked(renderer: ChartRenderer, operation: str, slot: str = "blue") -> Object:
    told = json.dumps({"state": yaml.safe_dump({"operation": operation})})
    values: dict[str, Any] = {"engineImage": ENGINE, "slot": slot, "release": {"id": "r-1"}}
    hooks = {"enabled": True, "delivery": told}
    return of_kind(objects(renderer, "trading", hooks=hooks, **values), "ConfigMap")[
        "trading-asked"
    ]


def test_each_operation_differs_in_an_object_that_is_no_hook(renderer: ChartRenderer) -> None:
    one, other = asked(renderer, "promotion-1"), asked(renderer, "promotion-2")
    assert one["data"] == {"operation": "promotion-1", "release": "r-1", "slot": "blue"}
    assert other["data"]["operation"] == "promotion-2"
    assert "annotations" not in one["metadata"]


def test_both_slots_say_it_in_the_same_object(renderer: ChartRenderer) -> None:
    names = {asked(renderer, "o", slot)["metadata"]["name"] for slot in ("blue", "green")}
    assert len(names) == 1


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_the_slot_that_is_left_goes_after_the_switch(environment: str) -> None:
    file = ROOT / "environments" / environment / "application.yaml"
    options = yaml.safe_load(file.read_text())["spec"]["syncPolicy"]["syncOptions"]
    assert "PruneLast=true" in options
