"""The one table that gives the order of a release. Targets and charts are rendered from it.

`effects` names every durable effect of a step in order. The engine runs each through
`journal.effect(name, …)`, which is where the process can be made to die before and after it.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.model.sync import SyncPhase as Phase


@dataclass(frozen=True, slots=True)
class Step:
    """One row. `once` names the digest under which a hook ran; recorded means no-op.

    `limit_seconds` excludes the soak, which is data of the environment.
    `undo`: what makes the step as if it had not been (words for the plan).
    """

    name: str
    phase: Phase
    wave: int
    once: str
    limit_seconds: float
    effects: tuple[str, ...]
    undo: str


STEPS: tuple[Step, ...] = (
    Step("guard", Phase.PRE_SYNC, 0, "", 10, (), "nothing to undo"),
    Step("backup", Phase.PRE_SYNC, 1, "migrations", 300, ("backup",), "nothing to undo"),
    Step(
        "migrate",
        Phase.PRE_SYNC,
        2,
        "migrations",
        300,
        ("migrate", "undo"),
        "nothing where old code works on it, else the down scripts",
    ),
    Step("stage", Phase.SYNC, 0, "", 60, ("stage",), "restage the former occupant"),
    Step("verify", Phase.SYNC, 1, "", 45, ("verdict",), "nothing to undo"),
    Step("switch", Phase.SYNC, 2, "", 30, ("baseline", "handover", "traffic"), "switch back, hold"),
    Step("analyse", Phase.SYNC, 3, "", 30, ("analysis",), "switch back, hold"),
    Step("confirm", Phase.SYNC, 4, "", 10, ("confirm", "evidence"), "roll back"),
)

# The way back is an operation of its own: it must need neither git nor the new release.
RETURN_STEPS: tuple[Step, ...] = (
    Step(
        "return",
        Phase.SYNC,
        0,
        "",
        5,
        ("handover-back", "traffic-back", "stop-bad"),
        "promote again",
    ),
    Step("publish", Phase.POST_SYNC, 0, "", 30, ("revert", "published"), "unhold"),
    Step("restage", Phase.POST_SYNC, 1, "", 60, ("restage",), "nothing to undo"),
)


def effects() -> tuple[str, ...]:
    """Every durable effect, in order, as `step.effect`."""
    return tuple(f"{s.name}.{e}" for s in STEPS + RETURN_STEPS for e in s.effects)
