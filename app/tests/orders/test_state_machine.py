"""The state machine, and the journal that may not leave it whatever the venue says."""

from __future__ import annotations

import asyncio
import uuid

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trading.control.lease import Lease
from trading.errors import LeaseLost
from trading.orders.journal import Journal, Outcome
from trading.orders.model import OPEN, TERMINAL, State
from trading.orders.state_machine import FOLLOWERS, may_follow, predecessors

states = st.sampled_from(State)


@given(states, states)
def test_nothing_follows_an_end_and_every_open_state_can_end(before: State, after: State) -> None:
    if before in TERMINAL:
        assert not may_follow(before, after)
    assert (before in OPEN) == bool(FOLLOWERS[before])
    assert may_follow(before, after) == (before.value in predecessors(after))


@given(states)
def test_nobody_goes_back_to_new(before: State) -> None:
    assert not may_follow(before, State.NEW)


def test_every_open_state_leads_to_an_end() -> None:
    for start in OPEN:
        seen, waiting = {start}, [start]
        while waiting:
            for follower in FOLLOWERS[waiting.pop()]:
                if follower not in seen:
                    seen.add(follower)
                    waiting.append(follower)
        assert seen & TERMINAL


def test_silence_is_no_reason_to_call_an_order_dead() -> None:
    assert State.UNKNOWN not in TERMINAL
    assert State.NEW not in FOLLOWERS[State.UNKNOWN]


@pytest.fixture
def lease(connection: psycopg.Connection) -> Lease:
    holder = uuid.uuid4()
    row = connection.execute(
        "insert into trading.lease (slot, holder, timeline, epoch) "
        "values ('blue', %s, trading.timeline(), 1) returning timeline",
        [holder],
    ).fetchone()
    assert row is not None
    return Lease(holder, row[0], 1, 0.0)


@settings(max_examples=25, suppress_health_check=list(HealthCheck))
@given(st.lists(st.tuples(st.sampled_from("abc"), states), max_size=12))
def test_the_journal_takes_allowed_steps_only(
    connection: psycopg.Connection,
    database_url: str,
    lease: Lease,
    said: list[tuple[str, State]],
) -> None:
    connection.execute("truncate trading.orders, trading.order_events")
    model = dict.fromkeys("abc", State.NEW)
    for name in model:
        _insert(connection, name)

    async def play() -> None:
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as own:
            journal = Journal(own, lease)
            for row in await journal.claim():
                model[row["client_order_id"]] = State.SENT
            for name, state in said:
                await journal.record([Outcome(name, state)])
                if state != model[name] and may_follow(model[name], state):
                    model[name] = state

    asyncio.run(play())
    stored = dict(
        connection.execute("select client_order_id, state from trading.orders").fetchall()
    )
    assert stored == {name: state.value for name, state in model.items()}
    steps = connection.execute("select from_state, to_state from trading.order_events").fetchall()
    assert all(may_follow(State(before), State(after)) for before, after in steps)


def test_a_journal_with_an_old_token_writes_nothing(
    connection: psycopg.Connection, database_url: str, lease: Lease
) -> None:
    _insert(connection, "a")
    connection.execute("update trading.lease set epoch = 2")

    async def claim() -> None:
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as own:
            journal = Journal(own, lease)
            for attempt in (
                journal.claim(),
                journal.record([Outcome("a", State.SENT)]),
                journal.disown(),
                journal.sweep(),
            ):
                with pytest.raises(LeaseLost):
                    await attempt

    asyncio.run(claim())
    row = connection.execute("select state from trading.orders").fetchone()
    assert row == ("NEW",)


def test_nothing_is_claimed_while_the_kill_switch_is_on(
    connection: psycopg.Connection, database_url: str, lease: Lease
) -> None:
    _insert(connection, "a")
    connection.execute("update trading.risk_state set killed = true")

    async def claim() -> list[dict[str, object]]:
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as own:
            return await Journal(own, lease).claim()

    assert asyncio.run(claim()) == []


def _insert(connection: psycopg.Connection, name: str) -> None:
    connection.execute(
        """insert into trading.orders (client_order_id, source, strategy, symbol, side, quantity,
        type, reference_price, content_hash, release)
        values (%s, 'api', 'manual', 'AAPL', 'buy', 1, 'market', 1, '', 'r1')""",
        [name],
    )
