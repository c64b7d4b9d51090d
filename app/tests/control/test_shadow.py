"""The shadow run over stored bars, in a real PostgreSQL."""

from psycopg import Connection

from trading.control.shadow import shadow_run
from trading.market_data import repository
from trading.market_data.replay import Replay
from trading.strategies.registry import available, load

STRATEGIES = [load(plugin) for plugin in available()]


def _store(connection: Connection, count: int) -> None:
    with connection.transaction():
        for bars in Replay().days(3_000, count):
            repository.store(connection, bars)


def test_the_live_path_decides_like_the_offline_one(connection: Connection) -> None:
    _store(connection, 150)
    checks = shadow_run(connection, STRATEGIES, 60)
    assert [check.ok for check in checks] == [True, True, True]
    assert {check.samples for check in checks} == {60}
    assert all("all equal" in check.message for check in checks)


def test_a_new_database_is_let_through_and_says_so(connection: Connection) -> None:
    for stored in (0, 5):
        checks = shadow_run(connection, STRATEGIES, 60)
        assert all(check.ok for check in checks)
        assert {check.samples for check in checks} == {4 * stored}
        assert all("bootstrap" in check.message for check in checks)
        _store(connection, 5)


def test_days_without_any_signal_prove_nothing(connection: Connection) -> None:
    _store(connection, 150)
    (check,) = shadow_run(connection, [load("sma_cross", symbols=("NONE",))], 60)
    assert not check.ok
    assert "proves nothing" in check.message


def test_no_strategy_is_a_failure(connection: Connection) -> None:
    (check,) = shadow_run(connection, [], 60)
    assert not check.ok
