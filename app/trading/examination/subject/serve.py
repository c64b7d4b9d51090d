"""The conversation with the judge: one JSON line asks, one JSON line answers.

| asked | answer |
|---|---|
| `{"do": "start"}` | a new instance from newly run modules: its name, lookback, parameters |
| `{"do": "again"}` | a new instance of the modules as they are: whatever they kept stays |
| `{"do": "push", "days": [[bar, …], …]}` | none: days that may be looked back on |
| `{"do": "days", "days": [[bar, …], …]}` | the signals of each of these days |
| `{"do": "replay", "fresh": bool}` | the signals of the last day pushed, by a new instance |
| `{"do": "cpu"}` | CPU seconds spent in `days` so far |

`fresh`: from newly run modules. A bar is `[symbol, timestamp, open, high, low, close, volume]`,
prices as text. No bar is in this process before the judge sends it: in a replay, nothing later than
the day asked about.
"""

from __future__ import annotations

import json
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from .guard import Guard
from .loader import GuardedFinder

Answer = dict[str, Any]


class Server:
    """Answers about one strategy until the judge hangs up."""

    def __init__(self, guard: Guard, finder: GuardedFinder, wanted: dict[str, Any]) -> None:
        """`wanted`: plugin, name, symbols, capital, parameters. Imports the subject's engine."""
        from trading.backtest.kernel import StrategyEngine
        from trading.errors import TradingError
        from trading.market_data.bars import Bar
        from trading.strategies.registry import load

        self._engine_type, self._bar_type, self._load = StrategyEngine, Bar, load
        self._error = TradingError
        self._guard, self._finder, self._wanted = guard, finder, wanted
        self._strategy: Any = None
        self._engine: Any = None
        self._days: deque[Sequence[Any]] = deque(maxlen=1)
        self._cpu_seconds = 0.0
        self._commands: dict[str, Callable[[Answer], Answer | None]] = {
            "start": lambda _: self._start(fresh=True),
            "again": lambda _: self._start(fresh=False),
            "push": self._push,
            "days": self._all,
            "replay": self._replay,
            "cpu": lambda _: {"cpu_seconds": self._cpu_seconds},
        }

    def answer(self, line: str) -> Answer | None:
        """The answer to one line; an error of the strategy is an answer as well."""
        request = json.loads(line)
        try:
            return self._commands[request["do"]](request)
        except MemoryError:
            return {"error": "MEMORY", "message": "out of memory"}
        except self._error as error:
            if isinstance(error.__cause__, MemoryError):
                return {"error": "MEMORY", "message": f"out of memory: {error.message[:2000]}"}
            return {"error": error.name, "message": error.message[:2000]}

    def first_start(self) -> Answer | None:
        """Load the strategy for the first time: files may be read until this returns."""
        return self.answer('{"do": "start"}')

    def _start(self, fresh: bool) -> Answer:
        self._guard.phase = "loading"
        if fresh:
            self._finder.forget()
        wanted = self._wanted
        self._strategy = self._load(
            wanted["plugin"],
            wanted["parameters"],
            name=wanted["name"],
            symbols=tuple(wanted["symbols"]),
            capital=Decimal(wanted["capital"]),
        )
        self._guard.phase = "running"
        self._engine = self._engine_type([self._strategy])
        lookback = self._strategy.lookback
        if not isinstance(lookback, int) or lookback < 1:
            return {"error": "LOOKBACK", "message": f"lookback is {lookback!r}, not days above 0"}
        if self._days.maxlen != lookback:
            self._days = deque(self._days, maxlen=min(lookback, 100_000))
        return {
            "name": str(self._strategy.name),
            "lookback": lookback,
            "parameters": self._strategy.parameters.model_dump(mode="json"),
        }

    def _push(self, request: Answer) -> None:
        self._days.extend(self._bars(day) for day in request["days"])

    def _all(self, request: Answer) -> Answer:
        days = [self._bars(rows) for rows in request["days"]]
        started = time.thread_time()  # (with RLIMIT_CPU, process_time moves by ticks)
        answers = [self._engine.on_day(bars) for bars in days]
        self._cpu_seconds += time.thread_time() - started
        return {"days": [_plain(signals) for signals in answers]}

    def _replay(self, request: Answer) -> Answer:
        days = tuple(self._days)
        self._start(fresh=bool(request["fresh"]))
        self._engine.warm_up(days[:-1])
        return {"signals": _plain(self._engine.on_day(days[-1]))}

    def _bars(self, rows: Sequence[Sequence[Any]]) -> tuple[Any, ...]:
        return tuple(self._bar(symbol, at, prices, volume) for symbol, at, *prices, volume in rows)

    def _bar(self, symbol: str, at: str, prices: Sequence[str], volume: int) -> Any:
        opened, high, low, close = map(Decimal, prices)
        when = datetime.fromisoformat(at)
        return self._bar_type(symbol, when, opened, high, low, close, volume)


def _plain(signals: Sequence[Any]) -> list[list[str]]:
    return [[s.symbol, str(s.target_quantity), str(s.reason)[:500]] for s in signals]


def speak(server: Server, first: Answer | None, write: Callable[[Answer], None]) -> None:
    """Send the first answer, then answer line by line."""
    write(first or {})
    for line in sys.stdin:
        answer = server.answer(line)
        if answer is not None:
            write(answer)
