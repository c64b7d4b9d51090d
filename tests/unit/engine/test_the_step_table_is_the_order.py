"""The table names every step and every durable effect the flows have, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

from pipelines.flows.deliver import ACTS
from pipelines.model.steps import STEPS, effects

FLOWS = Path(__file__).parents[3] / "pipelines" / "flows"


def test_every_step_has_an_act_in_the_same_order() -> None:
    assert list(ACTS) == [step.name for step in STEPS]


def test_every_effect_of_the_table_is_run_by_a_flow_and_no_other() -> None:
    steps = "|".join(sorted({name.split(".")[0] for name in effects()}))
    named = {
        match
        for path in FLOWS.glob("*.py")
        for match in re.findall(rf'"((?:{steps})\.[a-z-]+)"', path.read_text())
    }
    assert named == set(effects())


def test_waves_of_a_phase_only_grow() -> None:
    order = [("PreSync", "Sync").index(step.phase.value) * 100 + step.wave for step in STEPS]
    assert order == sorted(order)
