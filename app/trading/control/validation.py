"""What must be true of a release before it may trade: schema, strategies, limits, engine."""

from __future__ import annotations

from decimal import Decimal

from trading.backtest import runner
from trading.backtest.runner import signals_of
from trading.backtest.selftest import hand_calculated
from trading.control.checks import Check
from trading.control.shadow import compare_paths
from trading.errors import TradingError
from trading.market_data.replay import Replay
from trading.settings import Settings
from trading.strategies.base import Strategy
from trading.strategies.registry import load_all
from trading.values import RETENTION_MOST, RiskValues, Values

_DAYS = 500
_FIRST_DAY = 2_700  # all five symbols trade at the end of the sample
_JUDGED = 31  # calendar days beyond the lookback: those that shadow run and record can compare


def validate(settings: Settings, with_database: bool = True) -> list[Check]:
    """All checks; a failing one does not stop the others."""
    checks = [_engine()]
    if with_database:
        checks.append(_schema(settings))
    try:
        values = settings.values()
        strategies = load_all(values)
    except TradingError as error:
        return [*checks, Check("values", False, error.message, 0)]
    if not strategies:
        return [*checks, Check("strategies", False, "values.yaml enables no strategy", 0)]
    market = Replay(values.replay.symbols)
    for strategy in strategies:
        checks.append(_retention(strategy, market, values.replay.retention_days))
        checks.extend(_strategy(strategy, values))
    return checks


def _engine() -> Check:
    problems, samples = hand_calculated()
    message = "; ".join(problems) or "fills, fees and money are those calculated by hand"
    return Check("engine", not problems, message, samples)


def _schema(settings: Settings) -> Check:
    from trading.control.database import connect
    from trading.migrations.ledger import require_schema

    try:
        with connect(settings.need_database_url(), "trading validate") as connection:
            applied = require_schema(connection)
    except TradingError as error:
        return Check("schema", False, error.message, 0)
    return Check("schema", True, f"contains {', '.join(applied)}", len(applied))


def _retention(strategy: Strategy, market: Replay, kept: int) -> Check:
    """A process that starts must find the whole lookback in the database, on any day.

    Bars up to `retention_days` before today are there for certain, older ones until their month is
    dropped. With too few a strategy stays silent, its backtest over the same bars as well, and
    every later check would find the two equal.
    """
    shown = min(strategy.lookback, RETENTION_MOST)  # more is too long in any case
    need = market.longest(shown).days + _JUDGED
    words = f"a lookback of {strategy.lookback} trading days needs {need} days"
    ok = need <= kept
    message = f"{words}, retention_days is {kept}"
    if not ok:
        message += f": {strategy.name} could fall silent for ever; " + (
            f"set trading.replay.retention_days to {need} or more"
            if need <= RETENTION_MOST
            else f"shorten its lookback, retention_days may be {RETENTION_MOST} at most"
        )
    return Check(f"retention for {strategy.name}", ok, message, strategy.lookback)


def _strategy(strategy: Strategy, values: Values) -> list[Check]:
    replay = Replay(strategy.symbols)
    days = list(replay.days(_FIRST_DAY, _DAYS))
    try:
        again = signals_of([strategy], days) == signals_of([strategy], days)
        result = runner.run([strategy], days, values.costs.schedule())
    except TradingError as error:
        return [Check(f"backtest of {strategy.name}", False, error.message, len(days))]
    verdict = "decides the same twice" if again else "decides differently on the same bars"
    words = f"{verdict}; {len(result.signals)} signals, {len(result.fills)} fills"
    return [
        Check(f"backtest of {strategy.name}", again, words, len(days)),
        compare_paths(strategy, days, 100),
        _limits(strategy.name, result, values.risk),
    ]


def _limits(name: str, result: runner.Result, risk: RiskValues) -> Check:
    """Limits that a strategy's own backtest would break stop it on the first day: say so now."""
    broken: list[str] = []
    for _, fill in result.fills:
        if fill.quantity > risk.max_order_quantity:
            broken.append(f"{fill.quantity} shares > max_order_quantity {risk.max_order_quantity}")
        if fill.quantity * fill.price > risk.max_order_notional:
            worth = (fill.quantity * fill.price).quantize(Decimal(1))
            broken.append(f"worth {worth} > max_order_notional {risk.max_order_notional}")
    message = "every order of the backtest is within the limits"
    if broken:
        message = f"{len(broken)} orders of the backtest break a limit, e.g. {broken[0]}"
    return Check(f"limits of {name}", not broken, message, len(result.fills))
