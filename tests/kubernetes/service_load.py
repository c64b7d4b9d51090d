"""Clients of an environment on a cluster, from an address of their own to that of its active Service.

Kept connections, new ones, a WebSocket that resumes, and orders with idempotency keys: what users
make. Each way to fail counts: a connection that ends, an answer that is not 2xx, one after 1 s.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.kubernetes import client_place
from tests.kubernetes.cluster_installation import ENVIRONMENT, ClusterInstallation
from tests.load.accounts import Account, settle
from tests.load.background import Background
from tests.load.generator import Generator, Plan

RATE = 120.0
LONGEST_SECONDS = 24 * 3600.0


class ServiceLoad(Background):
    """`rate` requests a second, so many of them (`new_connections`) on connections of their own."""

    def __init__(
        self, url: str, token: str, *, rate: float = RATE, order_share: float = 0.3,
        repeat_orders: bool = False, place: int | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self._place = place
        self.generator = Generator(
            Plan(
                url=url,
                token=token,
                rate=rate,
                clients=20,
                new_connections=rate / 6,
                order_share=order_share,
                repeat_orders=repeat_orders,
            )
        )
        self.report: dict[str, Any] = {}

    def _work(self) -> None:
        client_place.enter(self._place)
        super()._work()

    async def _run(self) -> None:
        self.report = await self.generator.run(LONGEST_SECONDS)

    def stop(self, timeout_seconds: float = 60) -> None:
        self.generator.stop()
        super().stop(timeout_seconds)

    @property
    def requests(self) -> int:
        return len(self.generator.tally.status)

    @property
    def failed(self) -> int:
        return self.generator.tally.failed + self.generator.watched.failed

    @property
    def cut_off(self) -> int:
        """Failures that no busy machine excuses: all but answers that came late."""
        return self.failed - self.generator.tally.slow

    @property
    def problems(self) -> dict[str, Any]:
        """Counts of each way to fail, and the first of those that were not merely late."""
        tally, watched = self.generator.tally, self.generator.watched
        names = ("resets", "refused", "timeouts", "non_2xx", "slow")
        return {
            **{name: getattr(tally, name) for name in names},
            "websocket": watched.failed,
            "first": [one for one in tally.problems if one["status"] != 200][:8],
            "of the websocket": watched.problems[:5],
        }


@contextmanager
def loaded(
    made: ClusterInstallation, *, rate: float = RATE, order_share: float = 0.3,
    repeat_orders: bool = False,
) -> Iterator[ServiceLoad]:  # fmt: skip
    """The load runs, warm, for as long as the block; the block may look at it afterwards."""
    with client_place.of(made.cluster) as place:
        load = ServiceLoad(
            made.live_url(), made.token, rate=rate, order_share=order_share,
            repeat_orders=repeat_orders, place=place,
        )  # fmt: skip
        load.start()
        try:
            time.sleep(1.0)
            yield load
        finally:
            load.stop()


def account(made: ClusterInstallation, load: ServiceLoad) -> Account:
    """Every acknowledged order against the venue's own book and the ledger, once they settled."""
    return settle(
        load.generator.acknowledged,
        f"http://{made.address('venue')}",
        made.token,
        made.database_uri(ENVIRONMENT),
    )
