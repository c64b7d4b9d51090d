"""Orders at a steady rate in the background, and a memory of every one that was acknowledged.

An order without an answer is asked for again under the same key: that is what a careful client
does, and it is how a doubled order would come to light. Only what the API answered with 2xx is
counted against the venue's book.
"""

from __future__ import annotations

import time

from tests.load.background import Background
from tests.load.generator import Generator, Plan

RESTING = 10
"""Limit orders far from the market that stay open for as long as the load runs."""


class Orders(Background):
    """`per_second` orders over six keep-alive connections to the live port."""

    def __init__(self, port: int, token: str, *, per_second: float = 40.0) -> None:
        super().__init__()
        self.generator = Generator(
            Plan(
                url=f"http://127.0.0.1:{port}",
                token=token,
                rate=per_second,
                clients=6,
                new_connections=0.0,
                order_share=1.0,
                resting=RESTING,
                paths=(),
                websocket_path="",
                repeat_orders=True,
            )
        )
        self._seconds = 24 * 3600.0

    async def _run(self) -> None:
        await self.generator.run(self._seconds)

    def stop(self, timeout_seconds: float = 60) -> None:
        self.generator.stop()
        super().stop(timeout_seconds)

    @property
    def acknowledged(self) -> list[str]:
        """Ids of all orders the API has answered with 2xx so far."""
        return list(self.generator.acknowledged)

    def per_second(self, last_seconds: float = 5.0) -> float:
        """Acknowledged orders a second over the last seconds."""
        tally, since = self.generator.tally, time.time() - last_seconds
        recent = 0
        for index in range(len(tally.status) - 1, -1, -1):
            if tally.due[index] + tally.latency[index] < since:
                break
            recent += 200 <= tally.status[index] < 300
        return recent / last_seconds

    def wait_for_rate(self, at_least: float = 20.0, seconds: float = 30.0) -> None:
        """Until orders flow (again); AssertionError with what the API says when they do not."""
        deadline = time.monotonic() + seconds
        while self.per_second(2.0) < at_least:
            self.check()
            if time.monotonic() > deadline:
                problems = self.generator.tally.problems[-3:]
                raise AssertionError(f"{self.per_second(2.0):.1f} orders a second: {problems}")
            time.sleep(0.2)
