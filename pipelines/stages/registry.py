"""The six stages of a check. A stage's module is imported when it runs, not before."""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module

from pipelines.model.check import STAGES
from pipelines.model.errors import BadInput
from pipelines.stages.protocol import Stage

CLASSES = {
    "policy": ("pipelines.stages.policy", "PolicyStage"),
    "quality": ("pipelines.stages.quality", "QualityStage"),
    "strategy": ("pipelines.stages.strategy", "StrategyStage"),
    "security": ("pipelines.stages.security", "SecurityStage"),
    "migrations": ("pipelines.stages.migrations", "MigrationsStage"),
    "render": ("pipelines.stages.render", "RenderStage"),
}
"""Name → module and class; made without arguments, what it asks of the machine is in its workshop."""


def load(name: str) -> Stage:
    """The stage of a name. Raises ImportError or AttributeError when the engine lacks it: a check
    shows it red, never leaves it out."""
    module, attribute = CLASSES[name]
    stage: Stage = getattr(import_module(module), attribute)()
    return stage


def chosen(names: Sequence[str]) -> tuple[str, ...]:
    """The names in the order of a report, all of them when none is given. BadInput: unknown."""
    unknown = [name for name in names if name not in STAGES]
    if unknown:
        raise BadInput(f"unknown stage '{unknown[0]}'", hint=f"stages are: {', '.join(STAGES)}")
    return tuple(name for name in STAGES if not names or name in names)
