"""How long nobody may trade at a switch, from the database's own log; and that two never may."""

from __future__ import annotations

from bench.context import Bench
from bench.table import Row, percentile, spread
from tests.harness.database import query
from tests.harness.trouble import asleep
from tests.load.accounts import two_holders

GAPS = """
select extract(epoch from taken.at - given.at)::float8 as seconds
from trading.lease_log given
join lateral (
  select at from trading.lease_log later
  where later.id > given.id and later.holder is not null order by later.id limit 1
) taken on true
where given.holder is null and given.id > %s
order by given.id
"""


def _last_line(address: str) -> int:
    rows = query(address, "select coalesce(max(id), 0) as id from trading.lease_log")
    return int(rows[0]["id"])


def gaps(address: str, since: int) -> list[float]:
    """Seconds from the hand-over in the log to the next holder, for each since that line."""
    return [row["seconds"] for row in query(address, GAPS, since)]


def with_old_trader_stopped(bench: Bench) -> None:
    """One switch while the old trader cannot run; it is woken when the new one trades."""
    slot = bench.installation.agreement("dev").row()["slot"]
    old = [
        p
        for p in bench.installation.processes("dev")
        if p.slot == slot and p.role == "trader"
    ]  # fmt: skip
    with asleep(old):
        bench.switch()


def run(bench: Bench) -> list[Row]:
    bench.prepare()
    address = bench.installation.database_uri("dev")
    rows = []
    for what, switch in (
        ("", bench.switch),
        (", old trader stopped and woken later", lambda: with_old_trader_stopped(bench)),
    ):
        since = _last_line(address)
        for _ in range(bench.times(30, 3)):
            switch()
        found = gaps(address, since)
        rows.append(
            Row(
                f"hand-over of trading at a switch{what}",
                "gap p95 ≤ 1 s",
                spread(found, digits=3),
                bool(found) and percentile(found, 0.95) <= 1.0,
                {"seconds": found},
            )
        )
    twice = two_holders(address)
    rows.append(
        Row("moments with two holders of the lease", "0", str(len(twice)), not twice, {"at": twice})
    )
    return rows
