"""Count what was acknowledged against the venue's own book and the application's ledger."""

from __future__ import annotations

import json
import time
import urllib.request
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.harness.database import query


@dataclass(frozen=True, slots=True)
class Account:
    """`lost`: acknowledged, and the venue never had it. `doubled`: the venue has
    it twice, or filled more of it than was ordered.
    `different`: symbols whose position is not the same in ledger and book."""

    acknowledged: int
    in_book: int
    lost: tuple[str, ...]
    doubled: tuple[str, ...]
    different: tuple[str, ...]

    @property
    def right(self) -> bool:
        return not (self.lost or self.doubled or self.different)


def book(venue: int | str, token: str) -> dict[str, Any]:
    """The venue's whole book, from the venue itself: its port on this machine, or its URL."""
    url = f"http://127.0.0.1:{venue}" if isinstance(venue, int) else venue
    request = urllib.request.Request(f"{url}/v1/book", headers={"Authorization": f"Bearer {token}"})
    with urllib.request.urlopen(request, timeout=30) as answer:
        return dict(json.loads(answer.read()))


def _positions(fills: Iterable[dict[str, Any]]) -> dict[str, Decimal]:
    total: dict[str, Decimal] = {}
    for fill in fills:
        signed = Decimal(str(fill["quantity"])) * (1 if fill["side"] == "buy" else -1)
        total[fill["symbol"]] = total.get(fill["symbol"], Decimal(0)) + signed
    return {symbol: quantity for symbol, quantity in total.items() if quantity}


def _ledger(database_uri: str) -> dict[str, Decimal]:
    rows = query(
        database_uri,
        "select symbol, sum(quantity) as quantity from trading.positions group by symbol",
    )
    return {row["symbol"]: row["quantity"] for row in rows if row["quantity"]}


def count(acknowledged: Iterable[str], venue: int | str, token: str, database_uri: str) -> Account:
    """One look; orders still on their way count as lost, so use `settle`."""
    wanted = list(acknowledged)
    document = book(venue, token)
    times = Counter(order["client_order_id"] for order in document["orders"])
    filled: dict[str, Decimal] = {}
    for fill in document["fills"]:
        order = fill["client_order_id"]
        filled[order] = filled.get(order, Decimal(0)) + Decimal(str(fill["quantity"]))
    size = {o["client_order_id"]: Decimal(str(o["quantity"])) for o in document["orders"]}
    traded, ledger = _positions(document["fills"]), _ledger(database_uri)
    different = [
        f"{symbol}: ledger {ledger.get(symbol, 0)}, venue {traded.get(symbol, 0)}"
        for symbol in sorted({*traded, *ledger})
        if traded.get(symbol, 0) != ledger.get(symbol, 0)
    ]
    return Account(
        len(wanted),
        len(times),
        tuple(order for order in wanted if order not in times),
        tuple(
            [o for o, n in times.items() if n > 1] + [o for o, n in filled.items() if n > size[o]]
        ),
        tuple(different),
    )


def settle(
    acknowledged: Iterable[str],
    venue: int | str,
    token: str,
    database_uri: str,
    seconds: float = 60,
) -> Account:
    """Count until it is right twice, or the time is over (then the last count)."""
    wanted = list(acknowledged)
    deadline = time.monotonic() + seconds
    while True:
        account = count(wanted, venue, token, database_uri)
        if account.right or time.monotonic() > deadline:
            return account
        time.sleep(1.0)


def two_holders(database_uri: str) -> list[str]:
    """Moments at which the lease log shows two holders (it never should): epochs that do not grow."""
    rows = query(
        database_uri,
        "select * from (select id, epoch, lag(epoch) over (order by id) as before"
        " from trading.lease_log) as line where epoch < before",
    )
    return [f"line {row['id']}: epoch {row['epoch']} after {row['before']}" for row in rows]
