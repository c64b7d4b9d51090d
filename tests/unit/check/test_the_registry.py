"""All stages of a check are there, and chosen by name."""

from __future__ import annotations

import pytest

from pipelines.model.check import STAGES
from pipelines.model.errors import BadInput
from pipelines.stages import registry


@pytest.mark.parametrize("name", STAGES)
def test_all_six_stages_are_there_and_keep_the_protocol(name: str) -> None:
    stage = registry.load(name)
    assert stage.name == name
    for offered in ("touched", "inputs", "run"):
        assert callable(getattr(stage, offered))


def test_stages_are_chosen_by_name_in_the_order_of_the_report() -> None:
    assert registry.chosen(()) == STAGES
    assert registry.chosen(("render", "policy")) == ("policy", "render")
    with pytest.raises(BadInput, match="unknown stage 'nope'") as refused:
        registry.chosen(("nope",))
    assert "policy, quality" in refused.value.hint
