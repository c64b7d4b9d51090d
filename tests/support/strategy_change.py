"""A clone of this repository with a feature branch that adds a strategy, as a person would."""

from __future__ import annotations

import subprocess
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BRANCH = "feature/quant-strategy-breakout"
STRATEGY = "app/trading/strategies/breakout/__init__.py"
TESTS = "app/tests/strategies/breakout/test_breakout.py"
VALUES = "environments/base/values.yaml"

CODE = '''"""Breakout: hold a symbol from its highest close of some days until its lowest.

After Donchian's channel rule, with closes in place of highs and lows.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import Annotated, ClassVar

from pydantic import Field

from trading.strategies.base import History, Signal
from trading.strategies.instance import Instance, Parameters, whole_shares


class BreakoutParameters(Parameters):
    """`entry` and `leave` in days."""

    entry: Annotated[int, Field(ge=2, le=400)] = 20
    leave: Annotated[int, Field(ge=2, le=400)] = 10


@dataclass(frozen=True)
class Breakout(Instance[BreakoutParameters]):
    """Every symbol for itself, with an equal share of the capital."""

    Parameters: ClassVar[type[Parameters]] = BreakoutParameters

    @property
    def lookback(self) -> int:
        return max(self.parameters.entry, self.parameters.leave) + 1

    def on_bars(self, history: History) -> list[Signal]:
        found = (self._decide(history, symbol) for symbol in history.symbols)
        return [signal for signal in found if signal is not None]

    def _decide(self, history: History, symbol: str) -> Signal | None:
        closes = history.closes(symbol, self.lookback)
        if not closes:
            return None
        now, before = closes[-1], closes[:-1]
        if now > max(before[-self.parameters.entry :]):
            share = self.capital / len(self.symbols)
            words = f"highest close of {self.parameters.entry} days"
            return self.signal(history, symbol, whole_shares(share, now), words)
        if now < min(before[-self.parameters.leave :]):
            words = f"lowest close of {self.parameters.leave} days"
            return self.signal(history, symbol, Decimal(0), words)
        return None


STRATEGY = Breakout
'''

TEST_CODE = '''"""The breakout strategy, on prices made for it."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from trading.backtest.runner import signals_of
from trading.market_data.bars import Bar
from trading.strategies.registry import load


def test_it_buys_a_new_high_and_sells_a_new_low() -> None:
    parameters = {"entry": 3, "leave": 2}
    strategy = load("breakout", parameters, symbols=("AAA",), capital=Decimal(1000))
    start = datetime(2020, 1, 6, 21, tzinfo=UTC)
    days = []
    for number, close in enumerate([10, 9, 10, 11, 12, 12, 11, 10]):
        at = start + timedelta(days=number)
        days.append((Bar("AAA", at, *[Decimal(close)] * 4, 1_000),))
    found = signals_of([strategy], days)
    assert [s.target_quantity for s in found] == [90, 83, 0, 0]
'''

PARAMETERS = """    breakout:
      plugin: breakout
      capital: 50000
      symbols: [AAPL, IBM]
      parameters: {entry: 20, leave: 10}
"""


class StrategyChange:
    """`folder` is the clone, `develop` and `main` at this repository's HEAD (or `overlay` on top)."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        git(ROOT, "clone", "--quiet", "--no-hardlinks", str(ROOT), str(folder))
        git(folder, "branch", "--force", "develop", "HEAD")
        git(folder, "remote", "remove", "origin")
        git(folder, "switch", "--quiet", "--create", BRANCH, "develop")

    def add_strategy(self) -> None:
        self.write(STRATEGY, CODE)
        self.write("app/tests/strategies/breakout/__init__.py", "")
        self.write(TESTS, TEST_CODE)
        values = self.folder / VALUES
        text = values.read_text()
        self.write(VALUES, text.replace("    momentum:\n", f"{PARAMETERS}    momentum:\n", 1))
        self.commit("Add the strategy breakout")

    def write(self, path: str, text: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def commit(self, subject: str) -> str:
        git(self.folder, "add", "--all")
        git(self.folder, "commit", "--quiet", "-m", subject)
        return git(self.folder, "rev-parse", "HEAD")


def git(folder: Path, *arguments: str) -> str:
    identity = ("-c", "user.name=Ada", "-c", "user.email=ada@example.org")
    done = subprocess.run(
        ["git", "-C", str(folder), *identity, *arguments],
        check=True, capture_output=True, text=True,
    )  # fmt: skip
    return done.stdout.strip()
