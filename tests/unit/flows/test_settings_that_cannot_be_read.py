"""What `main` says of an environment is asked before anything is done for a release."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from pipelines.flows.before_switch import guard_step
from pipelines.flows.run import Run, StepFailed, run_step
from pipelines.model import environment_yaml
from pipelines.model.environment import EnvironmentSettings
from pipelines.model.slots import Slot
from pipelines.model.steps import STEPS
from tests.support.flow_stage import Stage

GUARD = next(step for step in STEPS if step.name == "guard")


def broken() -> EnvironmentSettings:
    text = "target: local\nsoak_seconds: -1\nrollback_window_hours: 1\nreason_required: false\n"
    return environment_yaml.parse(text, "dev", "environment.yaml")


def test_the_guard_refuses_a_release_whose_settings_cannot_be_read(tmp_path: Path) -> None:
    """A refused release goes back unheld: it is not the one that is wrong."""
    stage = Stage(tmp_path)
    context = cast(Any, stage.context)
    context.settings = broken
    token = stage.records.lock.acquire("a controller", "promotion", lease_seconds=60)
    opened = stage.records.journal.running()
    assert opened is not None
    nothing = cast(Any, None)  # neither the branch nor the release is asked
    run = Run(context, opened, token, nothing, nothing, Slot.GREEN, None, None)
    with pytest.raises(StepFailed, match="soak_seconds") as failed:
        run_step(run, GUARD, guard_step)
    assert failed.value.step == "guard"
