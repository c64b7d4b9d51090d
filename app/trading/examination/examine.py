"""One examination from beginning to end: read, run, replay, simulate, measure, compare."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from trading.backtest.runner import Result
from trading.errors import CostsMissing, NoSignals, StrategyUnknown, TradingError
from trading.examination.checks.behaviour import (
    DETERMINISM,
    HIDDEN_STATE,
    LOOK_AHEAD,
    Bench,
    Coverage,
    determinism,
    replay_checks,
)
from trading.examination.checks.costs import costs_check
from trading.examination.checks.data import data_check, rows_of
from trading.examination.checks.risk import (
    Figures,
    check_name,
    figures,
    risk_checks,
)
from trading.examination.checks.running import (
    RUN_TIME,
    finished_checks,
    run_time,
    stopped_checks,
)
from trading.examination.child import SubjectStopped
from trading.examination.limits import Limits
from trading.examination.package import Copies
from trading.examination.reading.strategy import reading_checks
from trading.examination.runs import Days, Run, Wanted, signals_of, whole_run
from trading.examination.simulation import simulate
from trading.examination.verdict import Verdict, not_run
from trading.market_data.replay import Replay
from trading.venues.costs import Costs

_WORKERS = 2


@dataclass(frozen=True, slots=True)
class Request:
    """`subject` and `base` are folders that hold a package `trading`; no base: nothing to compare
    with. `base_wanted` has the base's parameters."""

    wanted: Wanted
    costs: Costs
    limits: Limits
    subject: Path
    base: Path | None = None
    base_wanted: Wanted | None = None
    seed: int = 1


@dataclass(frozen=True, slots=True)
class Side:
    """One run and what it would have earned; `problem` in words where there is nothing."""

    run: Run | None = None
    result: Result | None = None
    figures: Figures | None = None
    problem: str = ""


@dataclass
class Examination:
    """Everything found out. `observed`: what differs between two equal examinations."""

    request: Request
    days: Days
    checks: list[Verdict]
    head: Side
    base: Side | None
    coverage: Coverage | None
    observed: dict[str, object] = field(default_factory=dict)

    @property
    def ok(self) -> bool:
        return bool(self.checks) and all(check.ok for check in self.checks)


def examine(request: Request, say: Callable[[str], None] = lambda _: None) -> Examination:
    """Raises `StrategyUnknown`, `UnknownSymbol`, `FileUnreadable`, `SandboxUnavailable`; whatever
    the strategy does is a verdict, never an error."""
    started = time.monotonic()
    replay = Replay(request.wanted.symbols)
    days = [bars for bars in replay.days(0, replay.days_per_lap) if bars]
    with tempfile.TemporaryDirectory(prefix="examine-") as folder:
        found = _examine(request, days, Path(folder), say)
    found.observed["seconds"] = round(time.monotonic() - started, 2)
    return found


def _examine(request: Request, days: Days, folder: Path, say: Callable[[str], None]) -> Examination:
    copies = Copies(request.subject, folder / "head")
    _known(copies, request.wanted.plugin)
    say("reading the source")
    reading = reading_checks(copies.folder_of(request.wanted.plugin), request.wanted.plugin)
    say("running every day, twice")
    bounds = request.limits.bounds()
    with ThreadPoolExecutor(_WORKERS) as pool:
        first = pool.submit(
            whole_run, copies.full, request.wanted, bounds, days, hash_seed=1, twice=True
        )
        other = pool.submit(whole_run, copies.full, request.wanted, bounds, days, hash_seed=2)
        base = pool.submit(_base, request, days, folder)
        run, stopped = _outcome(first)
        second, second_stopped = _outcome(other)
        compared = base.result()
    if run is None or stopped:
        assert stopped is not None
        checks = [*stopped_checks(stopped), *reading, *_nothing_ran(request, days)]
        return Examination(request, days, checks, Side(problem=str(stopped)), compared, None)
    say("replaying history that ends at each signal")
    behaviour, coverage = _behaviour(request, run, second, second_stopped, copies, days)
    say("trading the signals")
    head = _side(run, request.wanted, request, days)
    bars = sum(map(len, days))
    base_run = compared.run if compared else None
    checks = [
        *finished_checks(run, request.limits),
        *reading,
        *behaviour,
        costs_check(request.costs),
        data_check(rows_of(days)),
        *_risk(head, request),
        run_time(run, base_run, bars, request.limits),
    ]
    return Examination(
        request, days, checks, head, compared, coverage, _observed(run, base_run, bars)
    )


def _known(copies: Copies, plugin: str) -> None:
    if not (copies.folder_of(plugin) / "__init__.py").is_file():
        names = sorted(path.parent.name for path in copies.strategies.glob("*/__init__.py"))
        raise StrategyUnknown(
            f"there is no strategy {plugin!r} in {copies.strategies}; there are {', '.join(names)}",
            plugin=plugin,
        )


def _outcome(future: Future[Run]) -> tuple[Run | None, SubjectStopped | None]:
    try:
        return future.result(), None
    except SubjectStopped as stopped:
        return None, stopped


def _base(request: Request, days: Days, folder: Path) -> Side | None:
    """The base's side; a base without this strategy is no base."""
    if request.base is None:
        return None
    wanted = request.base_wanted or request.wanted
    copies = Copies(request.base, folder / "base")
    if not copies.folder_of(wanted.plugin).is_dir():
        return None
    try:
        run = whole_run(
            copies.bare, wanted, request.limits.bounds(), days, hash_seed=1, prices_present=False
        )
    except SubjectStopped as stopped:
        return Side(problem=str(stopped))
    return _side(run, wanted, request, days)


def _side(run: Run, wanted: Wanted, request: Request, days: Days) -> Side:
    try:
        result = simulate(signals_of(run, wanted, days), wanted, days, request.costs)
    except TradingError as error:
        return Side(run=run, problem=_why(error))
    return Side(run, result, figures(result, days, request.limits.out_of_sample_ratio))


def _why(error: TradingError) -> str:
    if isinstance(error, NoSignals):
        return "not a single signal on all days: that proves nothing"
    return "costs are off" if isinstance(error, CostsMissing) else error.message


def _behaviour(
    request: Request,
    run: Run,
    second: Run | None,
    second_stopped: SubjectStopped | None,
    copies: Copies,
    days: Days,
) -> tuple[list[Verdict], Coverage | None]:
    if second is None:
        words = f"the second run ended otherwise: {second_stopped}"
        verdict = Verdict(DETERMINISM, False, words, len(days))
    else:
        verdict = determinism(run, second, days)
    if not verdict.ok:
        why = "it does not decide the same twice; correct that first"
        return [verdict, not_run(HIDDEN_STATE, why), not_run(LOOK_AHEAD, why)], None
    bench = Bench(copies.bare, request.wanted, request.limits.bounds(), days)
    replayed, coverage = replay_checks(run, bench, request.limits.other_bars, request.seed)
    return [verdict, *replayed], coverage


def _risk(head: Side, request: Request) -> list[Verdict]:
    if head.figures is not None:
        return risk_checks(head.figures, request.limits)
    trades, *others = map(check_name, request.limits.limits)
    return [
        Verdict(trades, False, head.problem, 0),
        *(not_run(name, "nothing was traded") for name in others),
    ]


def _nothing_ran(request: Request, days: Days) -> list[Verdict]:
    """What does not need a run is said all the same."""
    why = "the run was stopped"
    figures = map(check_name, request.limits.limits)
    return [
        *(not_run(name, why) for name in (DETERMINISM, HIDDEN_STATE, LOOK_AHEAD)),
        costs_check(request.costs),
        data_check(rows_of(days)),
        *(not_run(name, why) for name in (*figures, RUN_TIME)),
    ]


def _observed(run: Run, base: Run | None, bars: int) -> dict[str, object]:
    found: dict[str, object] = {
        "cpu_seconds_per_1000_bars": round(run.cpu_seconds / bars * 1000, 4),
        "walls": run.walls,
    }
    if base is not None:
        found["base_cpu_seconds_per_1000_bars"] = round(base.cpu_seconds / bars * 1000, 4)
    return found
