"""Stored bars, in a real PostgreSQL."""

from datetime import timedelta

from psycopg import Connection

from trading.market_data import repository
from trading.market_data.replay import Replay


def test_stored_days_are_read_back_as_they_were(connection: Connection) -> None:
    days = list(Replay().days(3_200, 45))
    for bars in days:
        assert repository.store(connection, bars) == len(bars)
    assert repository.last_days(connection, 45) == days
    assert repository.last_days(connection, 10) == days[-10:]
    assert repository.last_days(connection, 5, before=days[20][0].timestamp) == days[15:20]
    assert (
        repository.days_between(connection, days[3][0].timestamp, days[7][0].timestamp)
        == (days[3:8])
    )


def test_storing_the_same_bars_twice_changes_nothing(connection: Connection) -> None:
    bars = Replay().day(3_269)
    assert repository.store(connection, bars) == 5
    assert repository.store(connection, bars) == 0
    assert repository.count_bars(connection, 100) == 5
    assert repository.count_bars(connection, 3) == 3


def test_bars_of_one_symbol_come_oldest_first(connection: Connection) -> None:
    for bars in Replay().days(3_200, 10):
        repository.store(connection, bars)
    found = repository.bars_of(connection, "IBM", 4)
    assert [bar.timestamp for bar in found] == sorted(bar.timestamp for bar in found)
    assert len(found) == 4
    assert {bar.symbol for bar in found} == {"IBM"}
    assert repository.bars_of(connection, "NONE", 4) == []


def test_old_months_are_dropped_and_the_month_in_question_stays(connection: Connection) -> None:
    days = list(Replay().days(0, 80))
    for bars in days:
        repository.store(connection, bars)
    limit = days[-1][0].timestamp - timedelta(days=30)
    dropped = repository.drop_months_before(connection, limit)
    assert dropped == ["bars_200003", "bars_200004", "bars_200005"][: len(dropped)]
    assert dropped
    left = repository.last_days(connection, 200)
    assert left[0][0].timestamp.month == limit.month
    assert repository.drop_months_before(connection, limit) == []


def test_a_month_in_use_is_not_waited_for(connection: Connection, database_url: str) -> None:
    import psycopg

    days = list(Replay().days(0, 60))
    for bars in days:
        repository.store(connection, bars)
    with psycopg.connect(database_url) as reader:
        reader.execute("select count(*) from trading.bars")
        assert repository.drop_months_before(connection, days[-1][0].timestamp) == []
    assert repository.drop_months_before(connection, days[-1][0].timestamp) != []
