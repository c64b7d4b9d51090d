"""The venue's book on disk: orders, fills, positions, the highest fencing token.

All changes of a few milliseconds share one commit. `durable()` waits for it: no answer leaves the
venue before what it says is on disk, so whatever was acknowledged survives kill -9.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any

from trading.market_data.bars import Bar
from trading.venues.costs import Costs
from trading.venues.matching import Execution, WorkingOrder, match_day
from trading.venues.paper.faults import Faults

_COMMIT_AFTER_SECONDS = 0.002
_WORKING = "state in ('WORKING', 'PARTIALLY_FILLED')"
_ORDER = """client_order_id, venue_order_id, symbol, side, quantity, type, limit_price, stop_price,
  tag, state, filled_quantity, reason, token, received"""
_FILL = "sequence, fill_id, client_order_id, symbol, side, quantity, price, fee, bar_timestamp"

Row = dict[str, Any]


class Book:
    """Used from one event loop. Values in rows are text where they are decimal."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "book.sqlite"
        self._db = connect(self.path)
        self._db.executescript((Path(__file__).parent / "schema.sql").read_text("utf-8"))
        self._commit: asyncio.Future[None] | None = None
        row = self._db.execute("select timeline, epoch from fence").fetchone()
        self.token: tuple[int, int] = (row["timeline"], row["epoch"])

    async def durable(self) -> None:
        """Wait until everything changed so far is on disk; at once when nothing is open."""
        if not self._db.in_transaction:
            return
        if self._commit is None:
            loop = asyncio.get_running_loop()
            self._commit = loop.create_future()
            loop.call_later(_COMMIT_AFTER_SECONDS, self._commit_now)
        await asyncio.shield(self._commit)

    def _commit_now(self) -> None:
        done, self._commit = self._commit, None
        assert done is not None
        try:
            self._db.execute("commit")
        except sqlite3.Error as error:
            # A full disk: nothing of this batch happened, nobody is told otherwise.
            if self._db.in_transaction:
                self._db.execute("rollback")
            row = self._db.execute("select timeline, epoch from fence").fetchone()
            self.token = (row["timeline"], row["epoch"])
            done.set_exception(error)
            done.exception()
        else:
            done.set_result(None)

    def _change(self) -> None:
        if not self._db.in_transaction:
            self._db.execute("begin immediate")

    def raise_token(self, token: tuple[int, int]) -> bool:
        """Remember the highest token; False when this one is older."""
        if token < self.token:
            return False
        if token > self.token:
            self._change()
            self._db.execute("update fence set timeline = ?, epoch = ?", token)
            self.token = token
        return True

    def order(self, client_order_id: str) -> Row | None:
        row = self._db.execute(
            f"select {_ORDER}, content from orders where client_order_id = ?", (client_order_id,)
        ).fetchone()
        return dict(row) if row else None

    def add(self, order: Row, token: str, rejected: str = "") -> None:
        self._change()
        self._db.execute(
            """insert into orders (client_order_id, symbol, side, quantity, type, limit_price,
              stop_price, tag, content, state, reason, token)
            values (:client_order_id, :symbol, :side, :quantity, :type, :limit_price,
              :stop_price, :tag, :content, :state, :reason, :token)""",
            {
                **order,
                "state": "REJECTED" if rejected else "WORKING",
                "reason": rejected,
                "token": token,
            },
        )

    def received_again(self, client_order_id: str) -> None:
        self._change()
        self._db.execute(
            "update orders set received = received + 1 where client_order_id = ?",
            (client_order_id,),
        )

    def cancel(self, client_order_id: str) -> None:
        """Cancels a working order; one that has ended stays as it is."""
        self._change()
        self._db.execute(
            f"update orders set state = 'CANCELED' where client_order_id = ? and {_WORKING}",
            (client_order_id,),
        )

    def working(self) -> list[Row]:
        rows = self._db.execute(
            f"select {_ORDER}, triggered from orders where {_WORKING} order by venue_order_id"
        )
        return [dict(row) for row in rows]

    def fills_since(self, sequence: int, limit: int = 1000) -> list[Row]:
        rows = self._db.execute(
            f"select {_FILL} from fills where sequence > ? order by sequence limit ?",
            (sequence, limit),
        )
        return [dict(row) for row in rows]

    def last_sequence(self) -> int:
        row = self._db.execute("select coalesce(max(sequence), 0) as last from fills").fetchone()
        return int(row["last"])

    def newest_day(self) -> str | None:
        """The last day that was traded."""
        row = self._db.execute("select max(bar_timestamp) as newest from days").fetchone()
        return None if row["newest"] is None else str(row["newest"])

    def positions(self) -> dict[str, str]:
        rows = self._db.execute("select symbol, quantity from positions order by symbol")
        return {row["symbol"]: row["quantity"] for row in rows}

    def trade_day(self, bars: Sequence[Bar], costs: Costs, faults: Faults) -> bool:
        """Match all working orders against one day; False when it or a later one was traded."""
        day = bars[0].timestamp.isoformat()
        newest = self.newest_day()
        if newest is not None and day <= newest:
            return False
        self._change()
        rows = self.working()
        match = match_day(
            [_working_order(row) for row in rows], {bar.symbol: bar for bar in bars}, costs
        )
        by_id = {row["client_order_id"]: row for row in rows}
        for fill in match.fills:
            self._fill(by_id[fill.client_order_id], fill, costs, faults)
        self._db.executemany(
            f"update orders set triggered = 1 where client_order_id = ? and {_WORKING}",
            [(client_order_id,) for client_order_id in match.triggered],
        )
        self._db.execute("insert into days values (?, ?)", (day, self.last_sequence()))
        return True

    def _fill(self, order: Row, fill: Execution, costs: Costs, faults: Faults) -> None:
        quantity = faults.part_of(fill.quantity)
        fee = fill.fee if quantity == fill.quantity else costs.fee(quantity, fill.price)
        filled = Decimal(order["filled_quantity"]) + quantity
        state = "FILLED" if filled == Decimal(order["quantity"]) else "PARTIALLY_FILLED"
        self._db.execute(
            """insert into fills (fill_id, client_order_id, symbol, side, quantity, price, fee,
              bar_timestamp) values (?, ?, ?, ?, ?, ?, ?, ?)""",
            (
                fill.fill_id,
                fill.client_order_id,
                fill.symbol,
                fill.side,
                str(quantity),
                str(fill.price),
                str(fee),
                fill.bar_timestamp.isoformat(),
            ),
        )
        self._db.execute(
            "update orders set filled_quantity = ?, state = ? where client_order_id = ?",
            (str(filled), state, fill.client_order_id),
        )
        self._move_position(fill.symbol, quantity if fill.side == "buy" else -quantity)

    def _move_position(self, symbol: str, change: Decimal) -> None:
        before = Decimal(self.positions().get(symbol, "0"))
        self._db.execute(
            "insert or replace into positions values (?, ?)", (symbol, str(before + change))
        )

    def close(self) -> None:
        if self._db.in_transaction:
            self._db.execute("commit")
        self._db.close()


def connect(path: Path) -> sqlite3.Connection:
    db = sqlite3.connect(path, isolation_level=None, timeout=10)
    db.row_factory = sqlite3.Row
    db.execute("pragma journal_mode = wal")
    db.execute("pragma synchronous = full")
    return db


def whole_book(path: Path) -> Row:
    """Everything, for counting; from a connection of its own, so that it can run in a thread."""
    db = connect(path)
    try:
        db.execute("begin")
        fence = db.execute("select timeline, epoch from fence").fetchone()
        return {
            "token": f"{fence['timeline']}.{fence['epoch']}",
            "orders": _dicts(db.execute(f"select {_ORDER} from orders order by venue_order_id")),
            "fills": _dicts(db.execute(f"select {_FILL} from fills order by sequence")),
            "positions": {
                row["symbol"]: row["quantity"] for row in db.execute("select * from positions")
            },
        }
    finally:
        db.close()


def _dicts(rows: Iterable[sqlite3.Row]) -> list[Row]:
    return [dict(row) for row in rows]


def _working_order(row: Row) -> WorkingOrder:
    return WorkingOrder(
        client_order_id=row["client_order_id"],
        symbol=row["symbol"],
        side=row["side"],
        type=row["type"],
        quantity=Decimal(row["quantity"]) - Decimal(row["filled_quantity"]),
        limit_price=_decimal(row["limit_price"]),
        stop_price=_decimal(row["stop_price"]),
        triggered=bool(row["triggered"]),
    )


def _decimal(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
