"""One operation under way: its facts, and running a step of the table under its time limit."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from pipelines.flows.context import Context
from pipelines.model.branch import ActiveRow, BranchHead
from pipelines.model.errors import SlipwayError, StaleToken, Unavailable
from pipelines.model.live import Check, MigrationStatus
from pipelines.model.release import Release
from pipelines.model.slots import Slot
from pipelines.model.steps import Step
from pipelines.records.protocols import Operation


class StepFailed(Exception):
    """A step of a release said no. `message` says what to look at."""

    def __init__(self, step: str, message: str) -> None:
        super().__init__(message)
        self.step = step
        self.message = message


@dataclass(frozen=True, slots=True)
class Run:
    """A release on its way into an environment. `former` is the active release before it, None
    for the first; `occupant` what lay in the idle slot."""

    ctx: Context
    operation: Operation
    token: int
    head: BranchHead
    release: Release
    to: Slot
    former: str | None
    occupant: str | None
    facts: dict[str, MigrationStatus] = field(default_factory=dict)

    @property
    def from_slot(self) -> Slot:
        return self.to.other

    @property
    def first(self) -> bool:
        return self.former is None

    @property
    def soak_seconds(self) -> float:
        """The first release has nothing to be compared with and nobody who waits for it."""
        return 0.0 if self.operation.kind == "bootstrap" else self.ctx.settings().soak_seconds

    def migrations(self) -> MigrationStatus:
        """Asked once per attempt: each question starts the application."""
        if "migrations" not in self.facts:
            self.facts["migrations"] = self.ctx.target.migration_status(self.release)
        return self.facts["migrations"]

    def effect(self, name: str, act: Callable[[], object]) -> None:
        self.ctx.records.journal.effect(self.operation.id, self.token, name, act)

    def remember(self, key: str, value: object) -> None:
        self.ctx.records.journal.remember(self.operation.id, self.token, key, value)

    def recall(self, key: str) -> object:
        return self.ctx.records.journal.recall(self.operation.id, key)

    def row(self) -> ActiveRow | None:
        reading = self.ctx.target.read_row()
        if reading.down:
            raise Unavailable(
                f"the database of {self.ctx.environment} does not answer: {reading.detail}"
            )
        return reading.row


def demand(step: str, checks: Sequence[Check]) -> str:
    """A line that sums up; StepFailed with every failing reason."""
    bad = [f"{check.name}: {check.message}" for check in checks if not check.ok]
    if bad:
        raise StepFailed(step, "; ".join(bad))
    groups = Counter(check.name.partition(":")[0] for check in checks)
    names = ", ".join(f"{name} ×{n}" if n > 1 else name for name, n in groups.items())
    return f"{names} ({sum(check.samples for check in checks)} samples)"


def run_step(run: Run, step: Step, act: Callable[[Run], str]) -> None:
    """Run one step, journalled. What does not answer is healed and tried again within the limit;
    a step whose own work failed raises StepFailed."""
    ctx, journal = run.ctx, run.ctx.records.journal
    started = ctx.monotonic()
    journal.step(run.operation.id, run.token, step.name, "running", 0.0)
    ctx.say(step.name, "running")
    while True:
        try:
            detail = act(run)
            break
        except StaleToken:
            raise
        except StepFailed as error:
            _ended(run, step, "failed", ctx.monotonic() - started, error.message)
            raise
        except SlipwayError as error:
            if not isinstance(error, Unavailable) or ctx.monotonic() - started > step.limit_seconds:
                _ended(run, step, "failed", ctx.monotonic() - started, error.message)
                raise StepFailed(step.name, error.message) from error
            ctx.say(step.name, "waiting", error.message)
            ctx.sleep(0.5)
            _heal(run)
    _ended(
        run,
        step,
        "skipped" if detail.startswith("skipped") else "done",
        ctx.monotonic() - started,
        detail,
    )


def _heal(run: Run) -> None:
    try:
        run.ctx.target.ensure(run.release)
    except Unavailable as error:
        run.ctx.say("heal", "waiting", error.message)


def _ended(run: Run, step: Step, status: str, seconds: float, detail: str) -> None:
    run.ctx.records.journal.step(run.operation.id, run.token, step.name, status, seconds, detail)
    run.ctx.say(step.name, status, detail, seconds)
