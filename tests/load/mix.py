"""What the generator asks for: reads, and orders that each carry their own idempotency key."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import dataclass

DEFAULT_PATHS = ("/api/positions", "/api/orders?limit=20", "/api/risk", "/api/strategies")
DEFAULT_SYMBOLS = ("AAPL", "IBM", "MSFT")


@dataclass(frozen=True, slots=True)
class Request:
    """Bytes ready to send on a kept connection; `order` is its client order id, if it is one."""

    data: bytes
    order: str = ""

    def last_on_connection(self) -> bytes:
        """The same request, telling the server that no other follows."""
        return self.data.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n", 1)


class Mix:
    """An endless, reproducible sequence of requests.

    Orders are for quantity 1, buying and selling in turn, so that positions stay small and no
    risk limit is met however long the run is.
    """

    def __init__(
        self,
        *,
        host: str,
        token: str,
        run: str,
        order_share: float = 0.3,
        paths: Sequence[str] = DEFAULT_PATHS,
        symbols: Sequence[str] = DEFAULT_SYMBOLS,
        seed: int = 1,
    ) -> None:
        self._random = random.Random(seed)  # a mix, no secret
        self._run, self._order_share = run, order_share
        self._symbols, self._count = symbols, 0
        self._common = f"Host: {host}\r\nAuthorization: Bearer {token}\r\n"
        self._reads = [
            Request(f"GET {path} HTTP/1.1\r\n{self._common}\r\n".encode()) for path in paths
        ]

    def next(self) -> Request:
        if not self._reads or self._random.random() < self._order_share:
            return self.order()
        return self._random.choice(self._reads)

    def order(self) -> Request:
        """A market order for one share."""
        number = self._count
        symbol = self._symbols[number // 2 % len(self._symbols)]
        side = "buy" if number % 2 == 0 else "sell"
        return self._post({"symbol": symbol, "side": side, "quantity": "1", "type": "market"})

    def resting(self, limit_price: str) -> Request:
        """A limit order so far from the market that it rests."""
        symbol = self._symbols[self._count % len(self._symbols)]
        return self._post(
            {
                "symbol": symbol,
                "side": "buy",
                "quantity": "1",
                "type": "limit",
                "limit_price": limit_price,
            }
        )

    def _post(self, content: dict[str, str]) -> Request:
        key = f"{self._run}-{self._count}"
        self._count += 1
        body = json.dumps(content, separators=(",", ":"))
        return Request(
            f"POST /api/orders HTTP/1.1\r\n{self._common}Content-Type: application/json\r\n"
            f"Idempotency-Key: {key}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode(),
            order=key,
        )
