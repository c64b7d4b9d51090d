"""No order is lost or doubled, and never do two traders hold the lease: with real processes."""

from __future__ import annotations

import random
import signal
import threading
import time
from decimal import Decimal

import psycopg
import pytest
from world import LIMITS, World, assert_book_equals_ledger, assert_never_two_holders, wait_until

from trading.orders.model import OrderRequest, State
from trading.orders.service import cancel, submit
from trading.risk import killswitch


class Customer(threading.Thread):
    """Submits orders until told to stop; remembers what was acknowledged."""

    def __init__(self, world: World, per_second: float) -> None:
        super().__init__(daemon=True)
        self._world, self._per_second = world, per_second
        self.acknowledged: list[str] = []
        self.ended = threading.Event()

    def run(self) -> None:
        with psycopg.connect(self._world.url, autocommit=True) as connection:
            while not self.ended.wait(1 / self._per_second):
                number = len(self.acknowledged)
                resting = number % 10 == 0
                request = OrderRequest(
                    client_order_id=f"customer-{number}",
                    symbol=("AAPL", "IBM", "MSFT")[number % 3],
                    side="buy" if number % 2 else "sell",
                    quantity=Decimal(1 + number % 3),
                    type="limit" if resting else "market",
                    limit_price=Decimal("0.01" if number % 2 else "9999") if resting else None,
                )
                result = submit(connection, request, limits=LIMITS, release="r1")
                assert result.accepted, result.refusals
                self.acknowledged.append(request.client_order_id)


def test_orders_reach_the_venue_and_their_fills_the_ledger(trading_world: World) -> None:
    for number in range(20):
        assert trading_world.submit(f"m-{number}").created
    trading_world.wait_settled()
    wait_until(
        lambda: set(trading_world.states()[f"m-{n}"] for n in range(20)) == {"FILLED"},
        "all are filled",
    )
    trading_world.come_to_rest()
    assert_book_equals_ledger(trading_world)


@pytest.mark.timeout(180)
def test_a_trader_killed_with_orders_in_flight_loses_and_doubles_none(
    trading_world: World,
) -> None:
    world = trading_world
    world.venue(
        "PUT",
        "/v1/faults",
        {
            "latency_seconds": 0.01,
            "reject_ratio": 0.02,
            "partial_ratio": 0.1,
            "drop_after_accept_ratio": 0.05,
            "error_after_accept_ratio": 0.05,
            "seed": 7,
        },
    )
    chance = random.Random(1)
    customer = Customer(world, 100)
    customer.start()
    for _ in range(8):
        time.sleep(0.4 + chance.random() / 2)
        world.kill("blue")
        world.start_trader("blue")
        wait_until(lambda: world.holds("blue") and world.ready("blue"), "it trades again")
    customer.ended.set()
    customer.join()
    world.wait_settled()
    states = world.states()
    assert set(customer.acknowledged) <= set(states)
    assert len(customer.acknowledged) > 100
    world.come_to_rest()
    assert_book_equals_ledger(world)
    assert_never_two_holders(world)
    received = {order["client_order_id"] for order in world.book()["orders"]}
    assert set(customer.acknowledged) <= received


@pytest.mark.parametrize("fault", ["drop_after_accept_ratio", "error_after_accept_ratio"])
def test_a_lost_answer_is_asked_for_and_never_becomes_a_second_order(
    trading_world: World, fault: str
) -> None:
    world = trading_world
    world.venue("PUT", "/v1/faults", {fault: 1})
    world.submit("lost-answer")
    wait_until(
        lambda: world.one(
            "select count(*) from trading.order_events where client_order_id = 'lost-answer' "
            "and to_state = 'UNKNOWN'"
        )[0],
        "its outcome is unknown",
    )
    world.venue("PUT", "/v1/faults", {})
    wait_until(lambda: world.states()["lost-answer"] == "FILLED", "it is filled")
    mine = [o for o in world.book()["orders"] if o["client_order_id"] == "lost-answer"]
    assert [order["received"] for order in mine] == [1]


def test_an_order_the_venue_never_got_is_sent_again_under_its_own_id(
    trading_world: World,
) -> None:
    world = trading_world
    world.kill("venue")
    world.submit("venue-away")
    wait_until(lambda: world.states()["venue-away"] in ("UNKNOWN", "NEW"), "it waits")
    world.start_venue()
    wait_until(lambda: world.states()["venue-away"] == "FILLED", "it is filled")
    mine = [o for o in world.book()["orders"] if o["client_order_id"] == "venue-away"]
    assert len(mine) == 1


def test_the_other_slot_takes_over_in_less_than_a_second(trading_world: World) -> None:
    world = trading_world
    world.start_trader("green")
    wait_until(lambda: world.ready("green"), "green stands by")
    customer = Customer(world, 50)
    customer.start()
    gaps = []
    for turn in range(6):
        to = ("green", "blue")[turn % 2]
        time.sleep(0.3)
        world.switch(to)
        gaps.append(wait_until(lambda to=to: world.holds(to), f"{to} trades", 5))
    customer.ended.set()
    customer.join()
    world.wait_settled()
    assert max(gaps) < 1.0, gaps
    assert_never_two_holders(world)
    world.come_to_rest()
    assert_book_equals_ledger(world)


def test_a_stopped_trader_writes_and_sends_nothing_when_it_wakes(trading_world: World) -> None:
    world = trading_world
    world.start_trader("green")
    wait_until(lambda: world.ready("green"), "green stands by")
    customer = Customer(world, 50)
    customer.start()
    time.sleep(0.3)
    old = world.one("select timeline, epoch from trading.lease")
    world.signal("blue", signal.SIGSTOP)
    world.switch("green")
    gap = wait_until(lambda: world.holds("green"), "green trades", 5)
    assert gap < 1.0
    time.sleep(0.3)
    (switched_at,) = world.one(
        "select at from trading.lease_log where epoch > %s order by id limit 1", old[1]
    )
    world.signal("blue", signal.SIGCONT)
    time.sleep(1.0)
    customer.ended.set()
    customer.join()
    world.wait_settled()
    written = world.one(
        "select count(*) from trading.order_events where epoch <= %s and at > %s",
        old[1],
        switched_at,
    )
    assert written == (0,)
    world.come_to_rest()
    assert_book_equals_ledger(world)
    assert_never_two_holders(world)


def test_the_kill_switch_stops_sending_and_cancels_what_works(trading_world: World) -> None:
    world = trading_world
    world.submit("resting", type="limit", limit_price=Decimal("0.01"))
    wait_until(lambda: world.states()["resting"] == "ACKED", "it rests")
    killswitch.trip(world.connection, "test", "Ada")
    (tripped_at,) = world.one("select changed_at from trading.risk_state")
    refused = world.submit("after")
    assert [refusal.name for refusal in refused.refusals] == ["KILL_SWITCH_ON"]
    wait_until(lambda: world.states()["resting"] == "CANCELED", "it is cancelled", 5)
    time.sleep(0.5)
    sent = world.one("select count(*) from trading.orders where sent_at > %s", tripped_at)
    assert sent == (0,)
    killswitch.rearm(world.connection, "all is well", "Ada")
    assert world.submit("later").accepted
    wait_until(lambda: world.states()["later"] == "FILLED", "trading goes on")


def test_a_cancel_reaches_the_venue(trading_world: World) -> None:
    world = trading_world
    world.submit("limit", type="limit", limit_price=Decimal("0.01"))
    wait_until(lambda: world.states()["limit"] == "ACKED", "it rests")
    cancel(world.connection, "limit")
    wait_until(lambda: world.states()["limit"] == "CANCELED", "it is cancelled")
    mine = [o for o in world.book()["orders"] if o["client_order_id"] == "limit"]
    assert [order["state"] for order in mine] == ["CANCELED"]


def _claimed_and_killed(world: World, name: str, source: str = "api") -> None:
    """The trader took this order to send it and was killed before it did."""
    world.kill("blue")
    assert world.submit(name, source=source).created
    world.connection.execute(
        "update trading.orders o set state = 'SENT', timeline = l.timeline, epoch = l.epoch "
        "from trading.lease l where client_order_id = %s",
        [name],
    )


def _arrived(world: World) -> set[str]:
    return {order["client_order_id"] for order in world.book()["orders"]}


def test_an_order_cancelled_before_it_left_never_reaches_the_venue(trading_world: World) -> None:
    world = trading_world
    _claimed_and_killed(world, "unwanted")
    assert cancel(world.connection, "unwanted").state is State.SENT
    world.start_trader("blue")
    wait_until(lambda: world.states()["unwanted"] == "CANCELED", "it is over")
    world.come_to_rest()
    assert "unwanted" not in _arrived(world)
    assert_book_equals_ledger(world)


def test_days_go_on_under_the_kill_switch_and_arming_sends_nothing_old(
    trading_world: World,
) -> None:
    world = trading_world
    _claimed_and_killed(world, "swept", source="strategy")
    killswitch.trip(world.connection, "test", "Ada")
    (before,) = world.one("select count(*) from trading.equity")
    world.start_trader("blue")
    wait_until(lambda: world.states()["swept"] == "CANCELED", "it is over")
    days = "select count(*) from trading.equity"
    wait_until(lambda: world.one(days)[0] > before + 3, "days go by")
    killswitch.rearm(world.connection, "all is well", "Ada")
    assert world.submit("later").accepted
    wait_until(lambda: world.states()["later"] == "FILLED", "trading goes on")
    assert "swept" not in _arrived(world)


def test_a_cancelled_order_that_may_still_arrive_is_kept_out_by_a_new_token(
    trading_world: World,
) -> None:
    """A trader that lives takes its lease again and is sure then."""
    world = trading_world
    (sent_under,) = world.one(
        """insert into trading.orders (client_order_id, source, strategy, symbol, side, quantity,
        type, reference_price, content_hash, release, state, cancel_requested, timeline, epoch)
        select 'late', 'strategy', 'momentum', 'AAPL', 'buy', 1, 'market', 1, '', 'r1', 'UNKNOWN',
        true, timeline, epoch from trading.lease returning epoch"""
    )
    wait_until(lambda: world.states()["late"] == "CANCELED", "it is over")
    (ended_under,) = world.one(
        "select epoch from trading.order_events where client_order_id = 'late' "
        "and to_state = 'CANCELED'"
    )
    assert ended_under == sent_under + 1
    wait_until(lambda: world.holds("blue") and world.ready("blue"), "it trades again")
    world.come_to_rest()
    assert "late" not in _arrived(world)
    assert_never_two_holders(world)
