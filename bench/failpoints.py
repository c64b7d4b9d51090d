"""kill -9 of the acting process before and after every durable effect, while orders flow."""

from __future__ import annotations

from bench.context import Bench
from bench.table import Row, spread
from tests.faults.scenarios import POINTS, Scenarios
from tests.load.accounts import settle
from tests.load.orders import Orders


def run(bench: Bench) -> list[Row]:
    bench.prepare()
    installation = bench.installation
    scenarios = Scenarios(installation, "dev")
    orders = Orders(installation.port("dev"), installation.token)
    orders.start()
    seconds: dict[str, float] = {}
    failed: dict[str, str] = {}
    try:
        for point in POINTS[:: bench.times(1, 7)]:
            orders.wait_for_rate()
            try:
                seconds[point] = scenarios.run(point)
            except AssertionError as problem:
                failed[point] = str(problem)
    finally:
        orders.stop()
    account = settle(
        orders.acknowledged,
        installation.port("dev", 3),
        installation.token,
        installation.database_uri("dev"),
    )
    return [
        Row(
            f"kill -9 at {len(seconds) + len(failed)} failpoints: one active slot, named alike",
            "≤ 60 s, all",
            f"{len(seconds)} of {len(seconds) + len(failed)}; {spread(list(seconds.values()))}",
            not failed and max(seconds.values(), default=0) <= 60,
            {"seconds": seconds, "failed": failed},
        ),
        Row(
            "orders acknowledged meanwhile: lost, doubled, ledger against venue",
            "0, 0, equal",
            f"{account.acknowledged:,} acknowledged: {len(account.lost)} lost, "
            f"{len(account.doubled)} doubled, {len(account.different)} different",
            account.right,
            {"lost": account.lost[:20], "different": account.different},
        ),
    ]
