"""Operations for the tests of the records."""

from __future__ import annotations

from pipelines.records.protocols import Operation, StepRecord


def operation(identity: str, token: int, release: str = "r-1") -> Operation:
    return Operation(
        id=identity,
        kind="promotion",
        release=release,
        from_slot="blue",
        to_slot="green",
        commit="c" * 40,
        actor="ada",
        reason="because",
        options={"soak_seconds": 0},
        plan_digest="d",
        status="running",
        message="",
        started_at="",
        ended_at="",
        switch_seconds=None,
        token=token,
        steps=(StepRecord("guard", "pending", 0.0), StepRecord("stage", "pending", 0.0)),
    )
