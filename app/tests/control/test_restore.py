"""A database that is put back is older than the venue's book: what was traded then stays traded."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from psycopg import Connection
from world import World, assert_book_equals_ledger, wait_until

from trading.backtest.kernel import orders_for
from trading.control.behind import newest_targets
from trading.control.record import against_record
from trading.risk import killswitch
from trading.strategies.base import Signal
from trading.strategies.registry import load_all
from trading.values import load

HOUR = 3600.0
QUICK = 0.02

TARGETS = """
select distinct on (strategy, symbol) strategy || ' ' || symbol, target_quantity
from trading.signals order by strategy, symbol, bar_timestamp desc
"""
SIGNALS = """
select strategy, symbol, bar_timestamp, target_quantity from trading.signals order by 1, 2, 3
"""
HELD = """
select strategy || ' ' || symbol, sum(quantity) from (
  select strategy, symbol, quantity from trading.positions
  union all
  select strategy, symbol, (quantity - filled_quantity) * case side when 'buy' then 1 else -1 end
  from trading.orders where state in ('NEW', 'SENT', 'ACKED', 'PARTIALLY_FILLED', 'UNKNOWN')
) as every where strategy <> '' group by strategy, symbol
"""


@pytest.fixture
def backed_up(trading_world: World) -> World:
    """Some weeks are traded and backed up; nobody trades."""
    world = trading_world
    world.kill("blue")
    world.go_on(QUICK)
    _wait_for_days(world, 40)
    world.rest()
    world.back_up()
    return world


def _wait_for_days(world: World, count: int) -> None:
    query = "select day_index from trading.replay_state"
    wait_until(lambda: world.one(query)[0] >= count, f"{count} days are traded", 60)


def _trade_on(world: World) -> datetime:
    """Weeks later; the last day, one that has no signals of its own."""
    world.go_on(QUICK)
    _wait_for_days(world, 90)
    world.rest()
    while world.one(
        "select exists (select 1 from trading.signals where bar_timestamp = %s)", _completed(world)
    )[0]:
        world.rest()  # another day
    return _completed(world)


def _completed(world: World) -> datetime:
    day: datetime = world.one("select completed_day from trading.replay_state")[0]
    return day


def _wait_for(world: World, day: datetime) -> None:
    wait_until(lambda: _completed(world) >= day, "the lost days are caught up", 60)
    world.wait_settled()


def _orders(world: World) -> dict[str, dict[str, Any]]:
    return {order["client_order_id"]: order for order in world.book()["orders"]}


def _missing(world: World) -> dict[str, tuple[Decimal, Decimal]]:
    """(target, held or on its way) of the positions that are not what was wanted last."""
    held = dict(world.connection.execute(HELD).fetchall())
    targets = dict(world.connection.execute(TARGETS).fetchall())
    assert targets
    assert any(targets.values())
    return {
        key: (target, held.get(key, Decimal(0)))
        for key, target in targets.items()
        if target != held.get(key, 0)
    }


def _differences(world: World, folder: Path, since: datetime) -> list[str]:
    strategies = load_all(load(folder / "values.yaml"))
    checks = against_record(world.connection, strategies, "r1", since, least_days=10)
    return [check.message for check in checks if not check.ok]


def test_lost_days_are_caught_up_without_an_order_and_without_waiting(
    backed_up: World, tmp_path: Path
) -> None:
    world = backed_up
    before = _completed(world)
    last = _trade_on(world)
    assert _missing(world) == {}
    orders = _orders(world)
    signals = world.connection.execute(SIGNALS).fetchall()
    world.restore()
    assert _completed(world) == before
    (since,) = world.one("select clock_timestamp()")
    world.go_on(HOUR)
    _wait_for(world, last)
    assert _completed(world) == last, "from here on a day lasts an hour again"
    assert _orders(world) == orders, "none new, and none received a second time"
    assert _missing(world) == {}
    assert_book_equals_ledger(world)
    assert world.connection.execute(SIGNALS).fetchall() == signals
    assert _differences(world, tmp_path, since) == []
    world.kill("blue")
    world.go_on(QUICK)
    _wait_for_days(world, 130)
    world.rest()
    assert _missing(world) == {}
    assert_book_equals_ledger(world)
    assert _differences(world, tmp_path, since) == []


def test_orders_that_never_reached_the_venue_follow_once_all_is_caught_up(
    backed_up: World, tmp_path: Path
) -> None:
    world = backed_up
    killswitch.trip(world.connection, "nothing is sent", "Ada")
    last = _trade_on(world)
    orders = _orders(world)
    assert _missing(world)
    world.restore()
    (since,) = world.one("select clock_timestamp()")
    world.go_on(HOUR)
    _wait_for(world, last)
    assert _missing(world) == {}
    new = {name: order for name, order in _orders(world).items() if name not in orders}
    keys = [(order["tag"], order["symbol"]) for order in new.values()]
    assert keys
    assert len(keys) == len(set(keys)), "one order a position, whatever happened in between"
    signalled = world.connection.execute(
        "select count(*) from trading.orders join trading.signals "
        "using (strategy, symbol, bar_timestamp) where client_order_id = any(%s)",
        [list(new)],
    ).fetchone()
    assert signalled == (len(new),), "each follows from its own signal"
    world.rest()
    assert _missing(world) == {}
    assert_book_equals_ledger(world)
    assert _differences(world, tmp_path, since) == []
    orders, last = _orders(world), _completed(world)
    world.restore()
    world.go_on(HOUR)
    _wait_for(world, last)
    assert _orders(world) == orders, "what was sent late is not sent again either"
    assert _missing(world) == {}
    assert_book_equals_ledger(world)


def test_only_the_newest_targets_of_strategies_that_run_are_wanted(connection: Connection) -> None:
    first, second, today = (datetime(2000, 1, day, 21, tzinfo=UTC) for day in (3, 4, 5))
    stored = [
        Signal("runs", "AAPL", first, Decimal(1), "old"),
        Signal("runs", "AAPL", second, Decimal("2.50"), "newest"),
        Signal("runs", "IBM", first, Decimal(3), "changes today"),
        Signal("runs", "FB", first, Decimal(4), "no longer one of its symbols"),
        Signal("removed", "AAPL", second, Decimal(5), "nobody runs it"),
    ]
    for s in stored:
        connection.execute(
            "insert into trading.signals (strategy, symbol, bar_timestamp, target_quantity, "
            "reason, release, epoch) values (%s, %s, %s, %s, %s, 'r1', 1)",
            (s.strategy, s.symbol, s.bar_timestamp, s.target_quantity, s.reason),
        )
    now = Signal("runs", "IBM", today, Decimal(0), "today")
    connection.execute("set timezone to 'America/New_York'")
    found = newest_targets(connection, [now], {("runs", s) for s in ("AAPL", "IBM", "MSFT")})
    assert found == [stored[1], now]
    late, right = (orders_for([signal], {}, {})[0] for signal in (found[0], stored[1]))
    assert late.client_order_id == right.client_order_id


@pytest.mark.timeout(180)
@pytest.mark.parametrize("sent", [True, False], ids=["all orders sent", "no order sent"])
def test_a_trader_killed_while_it_catches_up_goes_on_where_it_was(
    backed_up: World, sent: bool
) -> None:
    world = backed_up
    if not sent:
        killswitch.trip(world.connection, "nothing is sent", "Ada")
    last = _trade_on(world)
    orders = _orders(world)
    world.restore()
    world.venue("PUT", "/v1/faults", {"latency_seconds": 0.03})
    kills = 0
    world.go_on(HOUR)
    while _completed(world) < last:
        time.sleep(0.7 + 0.05 * kills)
        if _completed(world) < last:
            world.kill("blue")
            world.start_trader("blue")
            kills += 1
    _wait_for(world, last)
    assert kills > 1
    assert _missing(world) == {}
    assert (_orders(world).keys() == orders.keys()) is sent
    world.rest()
    assert _missing(world) == {}
    assert_book_equals_ledger(world)
