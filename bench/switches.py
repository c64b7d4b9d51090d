"""50 switches under load, not one request failed; and the same generator with draining off.

50 clients keep their connection, 50 new connections are opened a second, a WebSocket client
resumes, 3 of 10 requests are orders with an idempotency key. A reset, an answer that is not 2xx
or one after more than 1 s is a failure. Latency counts from when a request was due.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from bench.context import Bench
from bench.load import Load, Sample
from bench.table import Row, percentile, spread
from tests.planted.builds import CLOSES_INSTEAD_OF_DRAINING
from tests.planted.edits import both, harmless

RATE = 300.0
AROUND_SECONDS = 2.0
"""Requests due within so many seconds after the row changed belong to a switch."""


@dataclass(frozen=True, slots=True)
class Measured:
    report: dict[str, Any]
    samples: Sequence[Sample]
    switched_at: Sequence[float]

    def during(self) -> list[float]:
        return [s.latency for s in self.samples if self._near(s.due)]

    def steady(self) -> list[float]:
        """Where neither a switch nor the work around it is near."""
        return [s.latency for s in self.samples if s.due < self.switched_at[0] - 15]

    def _near(self, due: float) -> bool:
        return any(at - 0.5 <= due <= at + AROUND_SECONDS for at in self.switched_at)


def measure(bench: Bench, switches: int, requests: int) -> Measured:
    """Switch so many times while the load runs, and go on until there were enough requests."""
    longest = max(requests / RATE, switches * 20.0) + 60
    load = Load.start(bench.installation, "dev", seconds=longest, rate=RATE)
    begun = time.monotonic()
    switched_at: list[float] = []
    try:
        time.sleep(30 if not bench.quick else 20)
        while len(switched_at) < switches and load.alive():
            bench.switch()
            row = bench.installation.agreement("dev").row()
            switched_at.append(row["changed_at"].timestamp())
        while (time.monotonic() - begun) * RATE < requests and load.alive():
            time.sleep(1)
        load.process.terminate()
        report, samples = load.wait(60)
    finally:
        load.kill()
    return Measured(report, samples, switched_at)


def run(bench: Bench) -> list[Row]:
    bench.prepare()
    wanted, requests = bench.times(50, 4), bench.times(100_000, 5_000)
    found = measure(bench, wanted, requests)
    during, steady = found.during(), found.steady()
    added = (percentile(during, 0.99) - percentile(steady, 0.99)) * 1000
    slowest = max(during, default=0.0) * 1000
    failed, socket = found.report["failed"], found.report["websocket"]
    report = {k: v for k, v in found.report.items() if k != "histogram_ms"}
    return [
        Row(
            f"{len(found.switched_at)} switches under load: failed requests",
            f"0 of ≥ {requests:,}",
            f"{failed} of {found.report['requests']:,} at {found.report['rate']:.0f} a second; "
            f"WebSocket resumed {socket['resumed']} times, {socket['failed']} failures",
            failed == 0 and not socket["failed"] and found.report["requests"] >= requests,
            report,
        ),
        Row("slowest request of any switch", "≤ 250 ms", f"{slowest:.0f} ms", slowest <= 250),
        Row(
            "p99 during switches against steady p99",
            "≤ steady + 20 ms",
            f"{percentile(during, 0.99) * 1000:.1f} against "
            f"{percentile(steady, 0.99) * 1000:.1f} ms ({added:+.1f})",
            added <= 20,
            {"during": spread(during, digits=4), "steady": spread(steady, digits=4)},
        ),
        without_draining(bench),
    ]


def without_draining(bench: Bench) -> Row:
    """Two releases that leave the live socket by closing what is open: this must be noticed."""
    releases = [
        bench.installation.release(
            both(harmless(f"hard {n}"), CLOSES_INSTEAD_OF_DRAINING),
            f"Close instead of draining {n}",
        )
        for n in range(2)
    ]
    bench.demand(bench.installation.promote("dev", releases[0]))
    switches = bench.times(20, 4)
    load = Load.start(bench.installation, "dev", seconds=30.0 + 15 * switches, rate=RATE)
    try:
        time.sleep(5)
        for number in range(switches):
            # Its own analysis may notice, and say no: that is a switch back, as hard as the other.
            bench.installation.promote("dev", releases[(number + 1) % 2])
            bench.lift_holds()
        load.process.terminate()
        report, _ = load.wait(120)
    finally:
        load.kill()
    cut = report["resets"] + report["refused"]
    return Row(
        f"the same generator with draining off, {switches} switches",
        "sees failures",
        f"{cut} requests cut off or refused of {report['requests']:,}",
        cut > 0,
        {"problems": report["problems"][:5]},
    )
