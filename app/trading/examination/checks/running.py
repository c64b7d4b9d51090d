"""What the whole run itself says: does it load, does it keep the rules, is it quick enough?"""

from __future__ import annotations

from trading.examination.child import SubjectStopped
from trading.examination.limits import Limits
from trading.examination.runs import Run
from trading.examination.verdict import Verdict, not_run

INTERFACE = "interface and parameters"
RUN_TIME_CALLS = "forbidden calls at run time"
SANDBOX = "runs in the sandbox"
RUN_TIME = "run time"
_OF_INTERFACE = {
    "STRATEGY_UNKNOWN",
    "STRATEGY_BROKEN",
    "STRATEGY_PARAMETERS_INVALID",
    "LOOKBACK",
}
_WORDS = {
    "TIMEOUT": "stopped",
    "OUTPUT": "stopped",
    "MEMORY": "stopped",
    "GARBAGE": "broken answer",
}


def stopped_checks(stopped: SubjectStopped) -> list[Verdict]:
    """The three verdicts when the whole run did not end: one of them says why."""
    why = f"{_WORDS.get(stopped.kind, 'failed')}: {stopped}"
    owner = SANDBOX
    if stopped.kind in _OF_INTERFACE:
        owner = INTERFACE
    elif stopped.kind == "FORBIDDEN":
        owner, why = RUN_TIME_CALLS, str(stopped)
    return [
        Verdict(name, False, why, 1) if name == owner else not_run(name, "the run was stopped")
        for name in (INTERFACE, SANDBOX, RUN_TIME_CALLS)
    ]


def finished_checks(run: Run, limits: Limits) -> list[Verdict]:
    """The same three when it ended."""
    days = len(run.answers)
    fits = run.lookback <= limits.max_lookback
    words = f"loads, takes its parameters, looks back {run.lookback} days"
    if not fits:
        words = f"looks back {run.lookback} days, allowed are {limits.max_lookback}"
    return [
        Verdict(INTERFACE, fits, words, 1),
        Verdict(SANDBOX, True, f"{days} days within memory, time and output", days),
        Verdict(RUN_TIME_CALLS, True, f"none on {days} days", days),
    ]


def seconds_per_1000_bars(run: Run, bars: int) -> float:
    return run.cpu_seconds / bars * 1000


def run_time(run: Run, base: Run | None, bars: int, limits: Limits) -> Verdict:
    """CPU time against the budget and against the base. No seconds in the words: they differ from
    run to run, and stand under `observed`."""
    budget = f"{limits.max_seconds_per_1000_bars:g} CPU seconds for 1,000 bars"
    if seconds_per_1000_bars(run, bars) > limits.max_seconds_per_1000_bars:
        return Verdict(RUN_TIME, False, f"more than {budget}", bars)
    if base is None:
        return Verdict(RUN_TIME, True, f"within {budget}; there is no base", bars)
    # Half a second in all is noise, whatever the factor.
    slower = run.cpu_seconds > max(0.5, limits.max_slowdown * base.cpu_seconds)
    words = f"{'more than' if slower else 'within'} {limits.max_slowdown:g} times the base's"
    return Verdict(RUN_TIME, not slower, words if slower else f"within {budget}, {words}", bars)
