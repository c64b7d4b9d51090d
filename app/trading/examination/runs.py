"""Running the subject: over all days, and again on history that ends at a day."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any

from trading.examination.child import Bounds, Child, SubjectStopped
from trading.market_data.bars import Bar
from trading.strategies.signals import Signal

Days = Sequence[Sequence[Bar]]
_NEW_MODULES_EVERY = 5
_DAYS_AT_ONCE = 250


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which strategy, with what."""

    plugin: str
    name: str
    symbols: tuple[str, ...]
    capital: Decimal
    parameters: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, object]:
        return {
            "plugin": self.plugin,
            "name": self.name,
            "symbols": list(self.symbols),
            "capital": str(self.capital),
            "parameters": json.loads(json.dumps(self.parameters, default=str)),
        }


@dataclass(frozen=True, slots=True)
class Run:
    """Answers of every day, as canonical text. `cpu_seconds` in the strategy's days alone."""

    lookback: int
    parameters: dict[str, Any]
    answers: tuple[str, ...]
    cpu_seconds: float
    walls: dict[str, Any]
    second: tuple[str, ...] = ()

    @property
    def sha256(self) -> str:
        return hashlib.sha256("\n".join(self.answers).encode()).hexdigest()

    @property
    def signal_days(self) -> list[int]:
        return [index for index, answer in enumerate(self.answers) if answer != "[]"]


@dataclass(frozen=True, slots=True)
class Replayed:
    """What one day's replay answered; `problem` in words where there was no answer."""

    day: int
    answer: str
    problem: str = ""


def whole_run(
    folder: Path,
    wanted: Wanted,
    bounds: Bounds,
    days: Days,
    *,
    hash_seed: int,
    twice: bool = False,
    prices_present: bool = True,
) -> Run:
    """Every day in order, the prices lying where they lie in a backtest; `twice`: once more in the
    same process with a new instance. Raises `SubjectStopped`; its message names the day."""
    with Child(
        folder, wanted.as_dict(), bounds, hash_seed=hash_seed, prices_present=prices_present
    ) as child:
        started = child.started
        answers = _all_days(child, days)
        seconds = _number(child.ask({"do": "cpu"}), "cpu_seconds")
        second: tuple[str, ...] = ()
        if twice:
            child.ask({"do": "again"})
            second = _all_days(child, days)
            both = _number(child.ask({"do": "cpu"}), "cpu_seconds")
            seconds = min(seconds, both - seconds)  # the quieter of the two
    return Run(
        lookback=int(_number(started, "lookback")),
        parameters=dict(started.get("parameters") or {}),
        answers=answers,
        cpu_seconds=seconds,
        walls=dict(started.get("walls") or {}),
        second=second,
    )


def replays(
    folder: Path,
    wanted: Wanted,
    bounds: Bounds,
    days: Days,
    picks: Sequence[int],
    lookback: int,
    *,
    hash_seed: int,
) -> list[Replayed]:
    """For each picked day, ascending: a new instance, the lookback up to that day and nothing else.
    One process for all; it never got a later day than the one asked about. Every fifth day the
    strategy's modules are run anew, so what they keep is missing then: a memory shows."""
    found: list[Replayed] = []
    sent = 0
    try:
        with Child(folder, wanted.as_dict(), bounds, hash_seed=hash_seed) as child:
            for pick in picks:
                first = max(sent, pick + 1 - lookback)
                child.tell({"do": "push", "days": [_rows(d) for d in days[first : pick + 1]]})
                sent = pick + 1
                fresh = len(found) % _NEW_MODULES_EVERY == 0
                found.append(_replay(child, days[pick], pick, fresh))
    except SubjectStopped as stopped:
        missing = picks[len(found)] if len(found) < len(picks) else picks[-1]
        found.append(Replayed(missing, "", str(stopped)))
    return found


def _replay(child: Child, bars: Sequence[Bar], pick: int, fresh: bool) -> Replayed:
    try:
        answer = child.ask({"do": "replay", "fresh": fresh})
        return Replayed(pick, _canonical(answer.get("signals"), bars))
    except SubjectStopped as stopped:
        if stopped.survived:
            return Replayed(pick, "", str(stopped))
        raise


def truncated_run(
    folder: Path, wanted: Wanted, bounds: Bounds, days: Days, *, hash_seed: int
) -> str:
    """The answer to the last of `days` after all days before it, with no price anywhere else.

    Tells a memory (this agrees with the whole run) from a look ahead (it does not). An error of
    the strategy is an answer too.
    """
    try:
        run = whole_run(folder, wanted, bounds, days, hash_seed=hash_seed, prices_present=False)
    except SubjectStopped as stopped:
        return str(stopped)
    return run.answers[-1]


def signals_of(run: Run, wanted: Wanted, days: Days) -> dict[datetime, list[Signal]]:
    """The run's answers as signals by day."""
    return {
        days[index][0].timestamp: [
            Signal(wanted.name, symbol, days[index][0].timestamp, Decimal(target), reason)
            for symbol, target, reason in json.loads(run.answers[index])
        ]
        for index in run.signal_days
    }


def _all_days(child: Child, days: Days) -> tuple[str, ...]:
    """Many days at once: whoever looks ahead may do so here, and is found by the replays."""
    answers: list[str] = []
    for start in range(0, len(days), _DAYS_AT_ONCE):
        part = days[start : start + _DAYS_AT_ONCE]
        try:
            answer = child.ask({"do": "days", "days": [_rows(bars) for bars in part]})
            found = answer.get("days")
            if not isinstance(found, list) or len(found) != len(part):
                raise SubjectStopped("GARBAGE", f"it answered no days: {str(answer)[:120]}")
            answers += map(_canonical, found, part)
        except SubjectStopped as stopped:
            if stopped.survived:  # the strategy's own error, which names its day
                raise
            first, last = part[0][0].timestamp.date(), part[-1][0].timestamp.date()
            raise SubjectStopped(
                stopped.kind, f"{stopped} (on the bars of {first} to {last})"
            ) from stopped
    return tuple(answers)


def _rows(bars: Iterable[Bar]) -> list[list[object]]:
    return [
        [b.symbol, b.timestamp.isoformat(), *map(str, (b.open, b.high, b.low, b.close)), b.volume]
        for b in bars
    ]


def _canonical(signals: object, bars: Sequence[Bar]) -> str:
    """The text of one day's signals, if they are some. Raises `SubjectStopped`."""
    symbols = {bar.symbol for bar in bars}
    if not isinstance(signals, list) or not all(_is_signal(one, symbols) for one in signals):
        raise SubjectStopped("GARBAGE", f"it answered no signals: {json.dumps(signals)[:120]}")
    return json.dumps(signals, separators=(",", ":"), ensure_ascii=False)


def _is_signal(one: object, symbols: set[str]) -> bool:
    if not isinstance(one, list) or len(one) != 3 or not all(isinstance(x, str) for x in one):
        return False
    try:
        return one[0] in symbols and Decimal(one[1]).is_finite()
    except InvalidOperation:
        return False


def _number(answer: dict[str, Any], key: str) -> float:
    value = answer.get(key)
    if not isinstance(value, int | float) or isinstance(value, bool) or value < 0:
        raise SubjectStopped("GARBAGE", f"it answered {value!r} for {key}")
    return float(value)
