"""Made-up rows: so many as asked, consistent with each other, and never among real ones."""

import time

import psycopg
import pytest

from trading.errors import DatabaseNotEmpty, InvalidInput, SchemaMissing
from trading.migrations.populate import populate

ROWS = 5_000

ACTIVE = """select slipway.switch('blue', 'r-1', 'o-1', 'c', 1, 0, 'confirmed', null, true, '')"""

WRONG = {
    "a fill of an order that does not exist or was not filled": """
      select count(*) from trading.fills f left join trading.orders o using (client_order_id)
      where o.state is distinct from 'FILLED' or o.filled_quantity <> f.quantity""",
    "a filled order without a fill": """select count(*) from trading.orders o where state = 'FILLED'
      and not exists (select 1 from trading.fills f where f.client_order_id = o.client_order_id)""",
    "a position that is not the sum of its fills": """
      select count(*) from trading.positions p where quantity <> (
        select sum(case side when 'buy' then quantity else -quantity end) from trading.fills f
        where f.strategy = p.strategy and f.symbol = p.symbol)""",
    "a position that should be there": """select count(*) from (
      select strategy, symbol from trading.fills except
      select strategy, symbol from trading.positions) as missing""",
    "events that do not end in the state of their order": """
      select count(*) from trading.orders o where exists (
        select 1 from trading.order_events e where e.client_order_id = o.client_order_id)
      and state <> (select to_state from trading.order_events e
        where e.client_order_id = o.client_order_id order by id desc limit 1)""",
    "a bar whose low is above its high": """select count(*) from trading.bars
      where low > least(open, close) or high < greatest(open, close)""",
    "an order for the future": "select count(*) from trading.orders where created_at > now()",
    "a symbol without a price": """select count(*) from trading.orders o
      left join trading.instruments i using (symbol) where i.last_price is null""",
}


@pytest.fixture
def filled(database_url: str, connection: psycopg.Connection) -> psycopg.Connection:
    made = populate(database_url, ROWS)
    assert made.total >= ROWS
    return connection


def test_there_are_as_many_rows_as_asked_and_little_more(database_url: str) -> None:
    made = populate(database_url, 20_000)
    assert 20_000 <= made.total <= 23_000
    assert made.rows["orders"] > 8_000
    assert all(count > 0 for count in made.rows.values())


def test_the_rows_agree_with_each_other(filled: psycopg.Connection) -> None:
    found = {what: filled.execute(query).fetchone()[0] for what, query in WRONG.items()}
    assert found == dict.fromkeys(WRONG, 0)


def test_positions_stay_so_small_that_orders_are_still_let_through(
    filled: psycopg.Connection,
) -> None:
    (largest,) = filled.execute(
        "select max(abs(s)) from (select sum(quantity) as s from trading.positions group by symbol)"
    ).fetchone()
    assert largest < 20_000


def test_a_database_with_orders_is_refused_unless_forced(
    database_url: str, connection: psycopg.Connection
) -> None:
    connection.execute(
        """insert into trading.orders (client_order_id, source, strategy, symbol, side, quantity,
          type, reference_price, content_hash, release)
        values ('mine', 'api', 'manual', 'AAPL', 'buy', 1, 'market', 1, 'h', 'r')"""
    )
    with pytest.raises(DatabaseNotEmpty, match="there are orders in this database"):
        populate(database_url, ROWS)
    assert populate(database_url, ROWS, force=True).rows["orders"] > 2_000


def test_a_database_in_which_something_was_active_is_refused_unless_forced(
    database_url: str, connection: psycopg.Connection
) -> None:
    connection.execute(ACTIVE)
    with pytest.raises(DatabaseNotEmpty, match="is or was active"):
        populate(database_url, ROWS)
    assert populate(database_url, ROWS, force=True).total >= ROWS


def test_what_was_made_up_once_is_not_made_up_again(database_url: str) -> None:
    before = populate(database_url, ROWS)
    with pytest.raises(DatabaseNotEmpty, match="use a new database"):
        populate(database_url, ROWS, force=True)
    with psycopg.connect(database_url) as connection:
        row = connection.execute("select count(*) from trading.orders").fetchone()
    assert row == (before.rows["orders"],)


@pytest.mark.parametrize("rows", [-1, 0, 99, 20_000_001])
def test_a_number_of_rows_that_makes_no_sense_is_refused(database_url: str, rows: int) -> None:
    with pytest.raises(InvalidInput, match=f"--rows is {rows}; it takes 100 to 20000000"):
        populate(database_url, rows)


def test_a_database_without_tables_is_told_to_be_migrated(empty_database_url: str) -> None:
    with pytest.raises(SchemaMissing, match="run: trading migrate up"):
        populate(empty_database_url, ROWS)


def test_half_a_million_rows_are_there_within_a_rehearsal_s_patience(database_url: str) -> None:
    began = time.monotonic()
    assert populate(database_url, 500_000).total >= 500_000
    assert time.monotonic() - began < 60
