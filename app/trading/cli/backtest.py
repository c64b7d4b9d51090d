"""Run a strategy over the packaged sample data, with fees and slippage.

`--strategy` names an instance of values.yaml (`sma-cross`), if SLIPWAY_VALUES names that file, or
a plug-in (`sma_cross`). The JSON output holds every trade and fill.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import TYPE_CHECKING

from trading.cli.printing import emit
from trading.errors import InvalidInput
from trading.settings import Settings

if TYPE_CHECKING:
    from trading.backtest.runner import Result
    from trading.market_data.bars import Bar
    from trading.strategies.base import Strategy
    from trading.values import Values


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--strategy", required=True, help="instance in values.yaml, or plug-in")
    parser.add_argument("--from", dest="first", metavar="YYYY-MM-DD", help="first day")
    parser.add_argument("--to", dest="last", metavar="YYYY-MM-DD", help="last day")
    parser.add_argument("--parameters", metavar="JSON", help="parameters, e.g. '{\"fast\": 10}'")
    parser.add_argument("--symbols", help="comma-separated, e.g. AAPL,IBM")
    parser.add_argument("--capital", help="money the strategy may use")


def run(args: argparse.Namespace) -> int:
    from trading.backtest import runner
    from trading.market_data.sample import SHA256

    values = Settings.from_environment().values()
    strategy = _strategy(args, values)
    days = _days(strategy.symbols, _day(args.first, "--from"), _day(args.last, "--to"))
    costs = values.costs.schedule()
    result = runner.run([strategy], days, costs, _progress if sys.stderr.isatty() else None)
    document = {
        "strategy": strategy.name,
        "parameters": strategy.parameters.model_dump(mode="json"),
        "symbols": list(strategy.symbols),
        "capital": str(strategy.capital),
        "costs": {key: str(value) for key, value in asdict(costs).items()},
        "data_sha256": SHA256,
        "fills_on": "the next bar",
        **result.as_dict(),
    }
    emit(args, document, _text(strategy, result))
    return 0


def _strategy(args: argparse.Namespace, values: Values) -> Strategy:
    from trading.strategies.registry import load
    from trading.values import StrategyValues

    known = values.strategies.get(args.strategy)
    base = known or StrategyValues(plugin="none", capital=Decimal(100_000))
    return load(
        known.plugin if known else args.strategy,
        _parameters(args.parameters) if args.parameters else base.parameters,
        name=args.strategy if known else "",
        symbols=args.symbols.split(",") if args.symbols else base.symbols,
        capital=_money(args.capital) if args.capital else base.capital,
    )


def _days(symbols: Sequence[str], first: date | None, last: date | None) -> list[tuple[Bar, ...]]:
    from trading.market_data.replay import Replay

    replay = Replay(symbols)
    every = replay.days(0, replay.days_per_lap)
    return [
        bars
        for bars in every
        if bars
        and (first is None or bars[0].timestamp.date() >= first)
        and (last is None or bars[0].timestamp.date() <= last)
    ]


def _parameters(text: str) -> dict[str, object]:
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidInput(f"--parameters is not JSON: {error}", parameters=text[:200]) from error
    if not isinstance(value, dict):
        raise InvalidInput(f"--parameters is {text[:200]}; it takes an object {{…}}")
    return value


def _day(text: str | None, option: str) -> date | None:
    try:
        return date.fromisoformat(text) if text else None
    except ValueError as error:
        raise InvalidInput(f"{option} is {text!r}; it takes a day as YYYY-MM-DD") from error


def _money(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite() or not 0 < value <= Decimal("1e12"):
        raise InvalidInput(f"--capital is {text!r}; it takes money above 0, at most 1e12")
    return value


def _progress(done: int, of: int) -> None:
    if done % 100 == 0 or done == of:
        print(f"\r{done} of {of} days", end="" if done < of else "\n", file=sys.stderr, flush=True)


def _text(strategy: Strategy, result: Result) -> str:
    m = result.metrics
    closed = sum(trade.closed_at is not None for trade in result.trades)
    return "\n".join(
        (
            f"{strategy.name} {strategy.parameters!r} on {', '.join(strategy.symbols)}",
            f"  {m.days} days {result.equity[0][0].date()} to {result.equity[-1][0].date()}, "
            f"{result.bars} bars; orders fill on the next bar",
            f"  return {m.total_return:+.1%}, {m.annual_return:+.2%} a year, "
            f"volatility {m.volatility:.1%}, Sharpe {_number(m.sharpe)}, "
            f"largest drawdown {m.max_drawdown:.1%}",
            f"  {len(result.signals)} signals, {len(result.fills)} fills, {closed} closed trades, "
            f"won {_number(m.win_rate)}, profit factor {_number(m.profit_factor)}",
            f"  turnover {m.turnover:.1f} a year, fees {result.fees:.2f}",
            "  every trade and fill: --output json",
        )
    )


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.2f}"
