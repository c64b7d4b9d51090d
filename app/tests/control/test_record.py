"""Trades against its record, in a real PostgreSQL."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from psycopg import Connection, connect, errors

from trading.backtest.kernel import Key, StrategyEngine, orders_for
from trading.backtest.runner import signals_of
from trading.control import record
from trading.control.checks import Check
from trading.control.live_day import LiveDay
from trading.control.record import against_record
from trading.control.signal_comparison import compared, demand_equal
from trading.errors import RecordDiffers
from trading.market_data import repository
from trading.market_data.bars import Bar
from trading.market_data.replay import Replay
from trading.orders.model import OrderRequest
from trading.strategies.base import Signal, Strategy
from trading.strategies.registry import available, load
from trading.values import ReplayValues, Values

STRATEGIES = [load(plugin) for plugin in available()]
DAYS = list(Replay().days(3_000, 130))
FIRST = 90  # the first day traded live; the days before are only stored
EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
RIGHT = [s for s in signals_of(STRATEGIES, DAYS) if s.bar_timestamp >= DAYS[FIRST][0].timestamp]


def _orders(signals: Sequence[Signal]) -> Iterator[OrderRequest]:
    """What those signals lead to where every order fills at once."""
    held: dict[Key, Decimal] = {}
    for signal in signals:
        yield from orders_for([signal], held, {})
        held[signal.strategy, signal.symbol] = signal.target_quantity


def _live(
    connection: Connection,
    signals: Sequence[Signal],
    release: str = "r1",
    days: Sequence[Sequence[Bar]] = DAYS,
    first: int = FIRST,
) -> None:
    """Store what a trader would have stored."""
    with connection.transaction():
        for bars in DAYS:
            repository.store(connection, bars)
        _complete(connection, [bars[0].timestamp for bars in days[first:]], signals, release)
        for order in _orders(signals):
            connection.execute(
                "insert into trading.orders (client_order_id, source, strategy, symbol, side, "
                "quantity, type, reference_price, bar_timestamp, content_hash, release, state, "
                "filled_quantity) values (%s, %s, %s, %s, %s, %s, %s, 1, %s, '', %s, 'FILLED', %s)",
                (
                    order.client_order_id,
                    order.source,
                    order.strategy,
                    order.symbol,
                    order.side,
                    order.quantity,
                    order.type,
                    order.bar_timestamp,
                    release,
                    order.quantity,
                ),
            )


def _complete(
    connection: Connection, days: Sequence[datetime], signals: Sequence[Signal], release: str = "r1"
) -> None:
    with connection.transaction():
        for day in days:
            connection.execute(
                "insert into trading.equity (bar_timestamp, realized_profit, unrealized_profit, "
                "fees, equity) values (%s, 0, 0, 0, 0)",
                (day,),
            )
        for s in signals:
            connection.execute(
                "insert into trading.signals (strategy, symbol, bar_timestamp, target_quantity, "
                "reason, release, epoch) values (%s, %s, %s, %s, %s, %s, 1)",
                (s.strategy, s.symbol, s.bar_timestamp, s.target_quantity, s.reason, release),
            )


def _failed(checks: Sequence[Check]) -> list[str]:
    return [check.name for check in checks if not check.ok]


def test_a_release_that_trades_as_it_should_passes(connection: Connection) -> None:
    _live(connection, RIGHT)
    checks = against_record(connection, STRATEGIES, "r1", EPOCH)
    assert _failed(checks) == []
    assert checks[0].samples == len(DAYS) - FIRST


@pytest.mark.parametrize("autocommit", [True, False], ids=["autocommit", "with transactions"])
def test_a_day_that_completes_while_the_record_is_read_makes_no_difference(
    database_url: str, monkeypatch: pytest.MonkeyPatch, autocommit: bool
) -> None:
    last = RIGHT[-1].bar_timestamp
    earlier = [s for s in RIGHT if s.bar_timestamp < last]
    days = [day for day in DAYS if day[0].timestamp < last]
    completed_days = record._completed_days

    def a_day_later(reading: Connection, since: datetime) -> list[datetime]:
        with connect(database_url, autocommit=True) as trader:
            _complete(trader, [last], [s for s in RIGHT if s.bar_timestamp == last])
        return completed_days(reading, since)

    monkeypatch.setattr(record, "_completed_days", a_day_later)
    with connect(database_url, autocommit=autocommit) as reading:
        _live(reading, earlier, days=days)
        checks = against_record(reading, STRATEGIES, "r1", EPOCH)
    assert _failed(checks) == []
    assert checks[0].samples == len(days) - FIRST


def test_the_record_is_read_inside_a_transaction_of_the_caller_as_well(
    connection: Connection,
) -> None:
    with connection.transaction():
        _live(connection, RIGHT)
        assert _failed(against_record(connection, STRATEGIES, "r1", EPOCH)) == []


@pytest.mark.parametrize("change", ["turned round", "one left out", "one too many"])
def test_a_release_that_trades_against_its_record_fails(
    connection: Connection, change: str
) -> None:
    wrong = list(RIGHT)
    if change == "turned round":
        wrong = [replace(s, target_quantity=-s.target_quantity) for s in RIGHT]
    elif change == "one left out":
        wrong.pop()
    else:
        extra = Signal("momentum", "AAPL", DAYS[-2][0].timestamp, Decimal(7), "")
        wrong = [s for s in RIGHT if (s.strategy, s.symbol, s.bar_timestamp) != (
            extra.strategy, extra.symbol, extra.bar_timestamp
        )] + [extra]  # fmt: skip
    _live(connection, wrong)
    failed = _failed(against_record(connection, STRATEGIES, "r1", EPOCH))
    assert failed
    assert all(name.startswith("signals of ") for name in failed)


def test_an_order_that_follows_from_no_signal_fails(connection: Connection) -> None:
    _live(connection, RIGHT)
    connection.execute(
        "update trading.orders set client_order_id = 'stray' where client_order_id = "
        "(select min(client_order_id) from trading.orders)"
    )
    assert _failed(against_record(connection, STRATEGIES, "r1", EPOCH)) == ["orders"]


def test_an_order_in_the_wrong_direction_fails(connection: Connection) -> None:
    _live(connection, RIGHT)
    connection.execute(
        "update trading.orders set side = case side when 'buy' then 'sell' else 'buy' end"
    )
    checks = against_record(connection, STRATEGIES, "r1", EPOCH)
    assert _failed(checks) == ["orders"]
    assert "towards" in checks[-1].message


def _followed_by_a_smaller_sale(connection: Connection) -> str:
    """A bought order of whose shares the same strategy sold a part next.

    Whoever leaves the order out sees that sale begin below its target.
    """
    row = connection.execute(
        "select min(client_order_id) from (select client_order_id, side, quantity, "
        "lead(side) over w as next_side, lead(quantity) over w as next_quantity "
        "from trading.orders window w as (partition by strategy, symbol order by bar_timestamp)) "
        "as each where side = 'buy' and next_side = 'sell' and next_quantity < quantity"
    ).fetchone()
    assert row is not None
    assert row[0] is not None
    return str(row[0])


def test_an_order_that_came_back_from_the_venues_book_counts_as_held(
    connection: Connection,
) -> None:
    """A restored database has lost it: the trader takes it over without its day."""
    _live(connection, RIGHT)
    connection.execute(
        "update trading.orders set source = 'api', bar_timestamp = null, "
        "reason = 'adopted from the venue''s book' where client_order_id = %s",
        [_followed_by_a_smaller_sale(connection)],
    )
    checks = against_record(connection, STRATEGIES, "r1", EPOCH)
    assert _failed(checks) == []


@pytest.mark.parametrize(("ended", "failed"), [("later", []), ("before", ["orders"])])
def test_an_order_counts_in_full_until_it_is_cancelled(
    connection: Connection, ended: str, failed: list[str]
) -> None:
    """What a strategy had on its way when it decided is not changed by what became of it."""
    _live(connection, RIGHT)
    order = _followed_by_a_smaller_sale(connection)
    at = "clock_timestamp()" if ended == "later" else "created_at"
    connection.execute(
        "update trading.orders set state = 'CANCELED', filled_quantity = 0 "
        "where client_order_id = %s",
        [order],
    )
    connection.execute(
        "insert into trading.order_events (client_order_id, from_state, to_state, at) "
        f"select client_order_id, 'ACKED', 'CANCELED', {at} from trading.orders "
        "where client_order_id = %s",
        [order],
    )
    assert _failed(against_record(connection, STRATEGIES, "r1", EPOCH)) == failed


def test_signals_of_a_strategy_that_this_release_lacks_fail(connection: Connection) -> None:
    _live(connection, RIGHT)
    failed = _failed(against_record(connection, STRATEGIES[1:], "r1", EPOCH))
    assert failed == ["known strategies"]


def test_days_of_another_release_are_left_out(connection: Connection) -> None:
    _live(connection, RIGHT, release="r0")
    signalled = len({s.bar_timestamp for s in RIGHT})
    checks = against_record(connection, [], "r1", EPOCH)
    assert checks[0].samples == len(DAYS) - FIRST - signalled


def _live_day(connection: Connection, retention_days: int) -> LiveDay:
    values = Values(replay=ReplayValues(retention_days=retention_days))
    return LiveDay(connection, values, Replay(), lambda: StrategyEngine(STRATEGIES), "r1")


def _forgotten(connection: Connection, signals: Sequence[Signal]) -> Sequence[Check]:
    """The checks after a soak over all of `DAYS`, longer than the 90 days that are kept."""
    _live(connection, signals, first=0)
    _live_day(connection, retention_days=90)._forget_old(DAYS[-1][0].timestamp)
    return against_record(connection, STRATEGIES, "r1", EPOCH)


def _kept() -> list[datetime]:
    oldest = DAYS[-1][0].timestamp - timedelta(days=90)
    return [day[0].timestamp for day in DAYS if day[0].timestamp >= oldest]


def test_a_soak_longer_than_the_retention_is_compared_on_the_days_with_a_whole_window(
    connection: Connection,
) -> None:
    checks = _forgotten(connection, signals_of(STRATEGIES, DAYS))
    assert _failed(checks) == []
    bars = repository.last_days(connection, 1_000)
    for strategy, check in zip(STRATEGIES, checks, strict=False):
        decidable = {day[0].timestamp for day in bars[strategy.lookback - 1 :]}
        assert check.samples == len(decidable & set(_kept()))
        assert 0 < check.samples < len(_kept()), "some days are left out, and not all"
    known, orders = checks[-2:]
    assert known.samples == len(_kept())
    assert orders.samples > 0


@pytest.mark.parametrize("strategy", STRATEGIES, ids=lambda strategy: strategy.name)
def test_a_wrong_signal_on_a_day_with_a_whole_window_fails_after_such_a_soak(
    connection: Connection, strategy: Strategy
) -> None:
    right = signals_of(STRATEGIES, DAYS)
    last = max(i for i, signal in enumerate(right) if signal.strategy == strategy.name)
    wrong = replace(right[last], target_quantity=right[last].target_quantity + 1)
    checks = _forgotten(connection, [*right[:last], wrong, *right[last + 1 :]])
    assert _failed(checks) == [f"signals of {strategy.name}"]


def test_a_young_environment_is_compared_from_its_first_day_on(connection: Connection) -> None:
    """Nothing was dropped before it: the backtest begins where the trader began."""
    days = list(Replay().days(0, 5))
    with connection.transaction():
        for bars in days:
            repository.store(connection, bars)
    _complete(connection, [bars[0].timestamp for bars in days], signals_of(STRATEGIES, days))
    checks = against_record(connection, STRATEGIES, "r1", EPOCH)
    assert _failed(checks) == []
    assert [check.samples for check in checks[: len(STRATEGIES)]] == [5] * len(STRATEGIES)


def test_a_strategy_that_looks_back_on_more_than_is_stored_says_that_nothing_was_compared(
    connection: Connection,
) -> None:
    _live(connection, [])
    long = load("momentum", {"formation": len(DAYS), "skip": 0, "hold": 1})
    check = against_record(connection, [long], "r1", EPOCH)[0]
    assert (check.ok, check.samples) == (True, 0)
    assert f"none of {len(DAYS) - FIRST} days" in check.message


def test_days_that_could_be_forgotten_by_half_only_are_not_forgotten(
    connection: Connection,
) -> None:
    _live(connection, RIGHT)
    connection.execute(
        "create function stop() returns trigger language plpgsql as "
        "$$ begin raise 'stopped'; end $$; "
        "create trigger stop before delete on trading.equity execute function stop()"
    )
    with pytest.raises(errors.RaiseException):
        _live_day(connection, retention_days=90)._forget_old(
            DAYS[-1][0].timestamp + timedelta(days=60)
        )
    assert connection.execute("select count(*) from trading.signals").fetchone() == (len(RIGHT),)


def test_too_few_days_are_stated_and_fail_where_a_number_is_asked_for(
    connection: Connection,
) -> None:
    (check,) = against_record(connection, STRATEGIES, "r1", EPOCH)
    assert (check.ok, check.samples) == (True, 0)
    (check,) = against_record(connection, STRATEGIES, "r1", EPOCH, least_days=5)
    assert not check.ok
    assert "5 are needed" in check.message


def test_a_comparison_names_the_first_differences() -> None:
    at = DAYS[0][0].timestamp
    left = [Signal("s", "AAA", at, Decimal(1), "")]
    check = compared("s", left, [], 9, "live against offline")
    assert (check.ok, check.samples) == (False, 9)
    assert f"{at.date()} AAA: target 1 against no signal" in check.message
    with pytest.raises(RecordDiffers, match="1 of 1 signals differ"):
        demand_equal(left, [], "live against offline")
