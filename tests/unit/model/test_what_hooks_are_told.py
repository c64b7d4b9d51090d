"""A delivery as text in a config map, and back."""

from __future__ import annotations

import json

import pytest

from pipelines.model import application_yaml, delivery
from pipelines.model.branch import BranchState, Hold
from pipelines.model.delivery import Delivery
from pipelines.model.environment import AnalysisSettings, EnvironmentSettings, KubernetesSettings
from pipelines.model.errors import BadInput
from pipelines.model.release import Release
from pipelines.model.slots import Slot, SlotContent

APPLICATION = """
name: shop
module: shop
processes:
  web: {args: [serve], sockets: [live, slot]}
services:
  venue: {args: [serve, venue], socket: venue}
commands:
  migrate: [migrate]
"""


def release(name: str) -> Release:
    return Release(
        id=name, version="1", source_commit="c" * 40, source_author="A", source_subject="S",
        built_at="2026-01-01", artifact="a", wheel="w.whl", parts={"app": "1"},
        migrations=("r0001",), strategies={"s": {}},
        application=application_yaml.parse(APPLICATION),
        values={
            "dev": {"autoscaling": {"enabled": True}, "trading": {"limit": 10_000_000_000}},
            "production": {"trading": {}},
        },
    )  # fmt: skip


SETTINGS = EnvironmentSettings(
    name="dev", target="kubernetes", soak_seconds=4.5, rollback_window_hours=1,
    reason_required=False, analysis=AnalysisSettings(min_samples=7),
    kubernetes=KubernetesSettings("ns", "shop", engine_image="e", engine_tag="1"),
)  # fmt: skip
STATE = BranchState(
    "dev", Slot.GREEN,
    {Slot.BLUE: SlotContent("r-1", "1", "c"), Slot.GREEN: SlotContent("r-2", "2", "c")},
    (Hold("r-0", "it was bad: \"quoted\"", "somebody", "2026-01-01"),),
    "promotion", "für alle", "somebody", "promotion-1", "2026-01-01", "digest",
)  # fmt: skip
WHOLE = Delivery(STATE, SETTINGS, {"r-1": release("r-1"), "r-2": release("r-2")})


def test_it_comes_back_as_it_was_but_for_settings_of_the_application() -> None:
    found = delivery.parse(delivery.render(WHOLE))
    assert (found.state, found.settings) == (STATE, SETTINGS)
    assert found.release.application == release("r-2").application
    assert found.release.values == {"dev": {"autoscaling": {"enabled": True}}}
    assert found.release.migrations == ("r0001",)
    assert delivery.parse(delivery.render(found)) == found


def test_equal_deliveries_are_equal_texts() -> None:
    other = Delivery(STATE, SETTINGS, {"r-2": release("r-2"), "r-1": release("r-1")})
    assert delivery.render(WHOLE) == delivery.render(other)


def test_a_release_that_it_does_not_name_is_the_same_application_under_another_id() -> None:
    other = WHOLE.get("r-9")
    assert (other.id, other.artifact) == ("r-9", "")
    assert other.application == WHOLE.release.application


@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.pop("state"),
        lambda d: d["settings"].update(unknown=1),
        lambda d: d["releases"]["r-2"].pop("application"),
        lambda d: d.update(releases=[]),
        lambda d: d.update(state="environment: moon"),
    ],
)
def test_what_another_engine_wrote_is_refused_in_words(change: object) -> None:
    document = json.loads(delivery.render(WHOLE))
    change(document)  # type: ignore[operator]
    with pytest.raises(BadInput):
        delivery.parse(json.dumps(document))


@pytest.mark.parametrize("text", ["", "{}", "[]", "null", "not json", '{"state": 1}'])
def test_what_is_no_delivery_is_refused_in_words(text: str) -> None:
    with pytest.raises(BadInput, match=r"delivery\.json"):
        delivery.parse(text)


def test_a_branch_that_names_no_release_has_nothing_to_deliver() -> None:
    with pytest.raises(BadInput, match="names no release"):
        _ = Delivery(STATE, SETTINGS, {}).release
