"""Steps from the switch on: switch, analyse, confirm."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any, cast

from pipelines.engine.verdict import Observation, judge
from pipelines.flows.evidence import promise, say_soak, shadow_checks
from pipelines.flows.run import Run, StepFailed, demand
from pipelines.model.errors import Refused, StaleToken, Unavailable
from pipelines.model.live import Check, Handover, Health, ProbeSamples, TrafficCounters
from pipelines.model.steps import STEPS

ANALYSE_LIMIT_SECONDS = next(step.limit_seconds for step in STEPS if step.name == "analyse")


def switch_step(run: Run) -> str:
    _baseline(run)
    started = run.ctx.monotonic()
    run.effect("switch.handover", lambda: _handover(run))
    _still_ours(run)
    run.effect("switch.traffic", lambda: _traffic(run))
    seconds = run.ctx.monotonic() - started
    if run.recall("switch_seconds") is None:
        run.remember("switch_seconds", seconds)
        run.remember("switched_at", run.ctx.now().isoformat())
    return f"{run.to} is active after {seconds:.2f} s"


def _baseline(run: Run) -> None:
    """What the old release answers just before, stored, so the comparison survives a crash."""

    def measure() -> None:
        if run.first:
            return
        soaks = run.soak_seconds > 0
        samples = run.ctx.target.probe(None, count=60 if soaks else 20, per_second=60.0)
        run.remember("baseline", asdict(samples))

    run.effect("switch.baseline", measure)


def _handover(run: Run) -> None:
    row = run.row()
    if row is not None and row.operation == run.operation.id:
        return
    confirm_by = run.ctx.now() + timedelta(seconds=run.soak_seconds + ANALYSE_LIMIT_SECONDS)
    try:
        run.ctx.target.handover(
            run.release,
            Handover(
                slot=run.to,
                release=run.release.id,
                operation=run.operation.id,
                commit=run.head.commit,
                token=run.token,
                expect_epoch=row.epoch if row else 0,
                confirm_by=confirm_by.isoformat(),
                published=True,
                reason=run.operation.reason,
            ),
        )
    except StaleToken:
        raise
    except Refused as error:
        raise StaleToken(f"the environment changed under the operation: {error.message}") from error


def _traffic(run: Run) -> None:
    """Never a moment without an acceptor: the new slot first, then the old one stops."""
    target = run.ctx.target
    if not target.set_traffic(run.to, live=True, wait_seconds=3.0):
        words = f"slot {run.to} did not start to accept within 3 s"
        if target.follows_late(run.to):  # nobody is worse off: the old slot goes on answering
            raise Unavailable(f"{words}: new connections still reach {run.from_slot}")
        if target.observe().supervisor is not Health.HEALTHY:
            raise Unavailable(f"{words}: its supervisor is gone")
        raise StepFailed("switch", words)
    target.set_traffic(run.from_slot, live=False)


def _still_ours(run: Run) -> None:
    row = run.row()
    if row is None or row.operation != run.operation.id:
        raise StaleToken(
            f"the environment belongs to operation {row.operation if row else 'none'} now"
        )


def analyse_step(run: Run) -> str:
    """Own probes beside real traffic until the soak is over, or the answer is clear before."""
    watched = Soak(run, run.soak_seconds)
    checks = watched.watch()
    run.remember("soaked_seconds", watched.seconds if run.soak_seconds > 0 else 0.0)
    run.remember("analysis", [[c.name, c.ok, c.message, c.samples] for c in checks])
    run.effect("analyse.analysis", lambda: None)
    return demand("analyse", checks)


class Soak:
    """Collects what both releases answer, side by side, so that noise of the machine hits both."""

    def __init__(self, run: Run, soak_seconds: float) -> None:
        self.run, self.target = run, run.ctx.target
        self.settings = run.ctx.settings().analysis
        self.soak_seconds = soak_seconds
        self.started = run.ctx.monotonic()
        self.new: list[ProbeSamples] = []
        self.old: list[ProbeSamples] = []
        self.memory: dict[str, list[tuple[float, int]]] = {}
        self.counters_at_start = self.target.counters(run.to)
        self.pids = self._pids()
        self.restarts = 0

    @property
    def seconds(self) -> float:
        """How long it has been watched by now."""
        return round(self.run.ctx.monotonic() - self.started, 3)

    def watch(self) -> list[Check]:
        if self.soak_seconds <= 0:
            self._round(count=20, per_second=60.0)
            return self._judge(final=False)
        deadline = self.started + self._allowed()
        while self.run.ctx.monotonic() < deadline:
            self._round(
                count=int(self.settings.probes_per_second),
                per_second=self.settings.probes_per_second,
            )
            checks = self._judge(final=False)
            if any(not check.ok for check in checks):
                return checks
        return [*self._judge(final=True), *self._record(), *self._shadow_again()]

    def _allowed(self) -> float:
        """After a crash the soak begins again, but must end before `confirm_by`."""
        row = self.run.row()
        if row is None or row.confirm_by is None:
            return self.soak_seconds
        left = (row.confirm_by - self.run.ctx.now()).total_seconds() - 5.0
        return max(0.0, min(self.soak_seconds, left))

    def _round(self, *, count: int, per_second: float) -> None:
        self.run.ctx.records.lock.check(self.run.token)
        _still_ours(self.run)
        self.new.append(self.target.probe(None, count=count, per_second=per_second))
        if not self.run.first:
            self.old.append(
                self.target.probe(self.run.from_slot, count=max(1, count // 2), per_second=200.0)
            )
        elapsed = self.run.ctx.monotonic() - self.started
        for name, size in self.target.memory_bytes(self.run.to).items():
            self.memory.setdefault(name, []).append((elapsed, size))
        pids = self._pids()
        self.restarts += sum(
            1 for name, pid in pids.items() if self.pids.get(name) not in (None, pid)
        )
        self.pids |= pids

    def _pids(self) -> dict[str, int]:
        live = self.target.observe_slot(self.run.to)
        return {p.name: p.pid for p in live.processes if p.pid}

    def _judge(self, *, final: bool) -> list[Check]:
        counters = self.target.counters(self.run.to)
        new = _merge(
            self.new,
            memory=self.memory,
            restarts=self.restarts,
            counters=TrafficCounters(
                max(0, counters.requests - self.counters_at_start.requests),
                max(0, counters.server_errors - self.counters_at_start.server_errors),
            ),
        )
        required = final and self.run.ctx.environment != "dev"
        return judge(
            self.settings, new, _merge([*self._stored(), *self.old]), samples_required=required
        )

    def _stored(self) -> list[ProbeSamples]:
        stored = cast(dict[str, Any] | None, self.run.recall("baseline"))
        if not stored:
            return []
        return [ProbeSamples(tuple(stored["latencies_seconds"]), int(stored["errors"]))]

    def _record(self) -> list[Check]:
        """What was done live since the switch against what the same release would have done."""
        since = str(self.run.recall("switched_at"))
        checks = list(
            self.target.application_check(
                self.run.release, self.run.to, "record", ["--since", since], 20.0
            )
        )
        if self.run.ctx.environment == "dev" or not self.run.release.application.offers("record"):
            return checks
        samples, least = sum(check.samples for check in checks), self.settings.min_record_samples
        message = f"{samples} live decisions compared, at least {least}"
        return [*checks, Check("record samples", samples >= least, message, samples)]

    def _shadow_again(self) -> list[Check]:
        """A shadow run before the switch that found no bars to compare (the environment is young)
        proved nothing: there are some by now."""
        run, settings = self.run, self.run.ctx.settings()
        if run.first or any(check[3] for check in shadow_checks(run.recall("verify"))):
            return []
        return list(
            self.target.application_check(
                run.release,
                run.to,
                "shadow",
                ["--bars", str(settings.shadow_bars)],
                settings.verify_timeout_seconds,
            )
        )


def _merge(
    parts: list[ProbeSamples],
    *,
    memory: dict[str, list[tuple[float, int]]] | None = None,
    restarts: int = 0,
    counters: TrafficCounters | None = None,
) -> Observation:
    return Observation(
        latencies_seconds=tuple(value for part in parts for value in part.latencies_seconds),
        errors=sum(part.errors for part in parts),
        examples=tuple(example for part in parts for example in part.error_examples)[:3],
        counters=counters or TrafficCounters(0, 0),
        memory=memory,
        restarts=restarts,
    )


def confirm_step(run: Run) -> str:
    if run.recall("confirmed_at") is None:
        run.remember("confirmed_at", run.ctx.now().isoformat())
    promise(run)
    run.effect("confirm.confirm", lambda: run.ctx.target.confirm(run.operation.id, run.token))
    waits = say_soak(run.ctx, run.operation, run.release, run.token)
    return f"{run.release.id} confirmed in {run.to}{waits}"
