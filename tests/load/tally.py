"""Counts and latencies of a run, and the report made of them."""

from __future__ import annotations

import time
from array import array
from pathlib import Path

SLOW_SECONDS = 1.0
EDGES_MILLISECONDS = (1, 2, 5, 10, 20, 50, 100, 250, 500, 1000, 10_000)


class Tally:
    """Every request of a run: when it was due, how long it took, how it ended.

    A failure is a connection that ended, an answer other than 2xx, or one after more than 1 s.
    Latency counts from the moment the request was due if an earlier answer delayed it, so a
    stalled server hides nothing.
    """

    def __init__(self) -> None:
        self.due = array("d")
        """Wall clock, seconds since 1970."""
        self.latency = array("d")
        """Seconds."""
        self.status = array("H")
        """HTTP status; 0 where the connection ended."""
        self.resets = self.refused = self.timeouts = self.non_2xx = self.slow = 0
        self.orders_sent = self.orders_acknowledged = self.orders_repeated = 0
        self.connections_opened = 0
        self.problems: list[dict[str, object]] = []

    def add(self, due: float, latency: float, status: int, problem: str, kind: str) -> bool:
        """Count one finished request; returns whether it succeeded."""
        self.due.append(due)
        self.latency.append(latency)
        self.status.append(status)
        good = 200 <= status < 300
        if status == 0:
            self._count_broken(problem)
        elif not good:
            self.non_2xx += 1
        elif latency > SLOW_SECONDS:
            self.slow += 1
        if (not good or latency > SLOW_SECONDS) and len(self.problems) < 50:
            self.problems.append(
                {
                    "at": round(due, 3),
                    "kind": kind,
                    "status": status,
                    "seconds": round(latency, 4),
                    "problem": problem,
                }
            )
        return good

    def _count_broken(self, problem: str) -> None:
        if problem == "time limit":
            self.timeouts += 1
        elif problem.startswith("connect"):
            self.refused += 1
        else:
            self.resets += 1

    @property
    def failed(self) -> int:
        return self.resets + self.refused + self.timeouts + self.non_2xx + self.slow

    def report(self) -> dict[str, object]:
        """Counts, percentiles in milliseconds and a histogram; JSON-ready."""
        return {
            "requests": len(self.status),
            "failed": self.failed,
            "resets": self.resets,
            "refused": self.refused,
            "timeouts": self.timeouts,
            "non_2xx": self.non_2xx,
            "slow": self.slow,
            "statuses": self._statuses(),
            "latency_ms": percentiles(self.latency),
            "histogram_ms": histogram(self.latency),
            "orders": {
                "sent": self.orders_sent,
                "acknowledged": self.orders_acknowledged,
                "repeated": self.orders_repeated,
            },
            "connections_opened": self.connections_opened,
            "problems": self.problems,
            "generator_cpu_seconds": round(time.process_time(), 2),
        }

    def _statuses(self) -> dict[str, int]:
        counts: dict[str, int] = {}
        for status in self.status:
            counts[str(status)] = counts.get(str(status), 0) + 1
        return counts

    def write_samples(self, path: Path) -> None:
        """One line a request: wall clock when due, latency in ms, status."""
        with path.open("w", encoding="ascii") as file:
            for due, latency, status in zip(self.due, self.latency, self.status, strict=True):
                file.write(f"{due:.4f} {latency * 1000:.3f} {status}\n")


def percentiles(latencies: array[float]) -> dict[str, float]:
    """p50, p95, p99, p99.9 and the slowest, in milliseconds; zeros for no requests."""
    ordered = sorted(latencies)
    shares = {"p50": 0.5, "p95": 0.95, "p99": 0.99, "p999": 0.999, "slowest": 1.0}
    last = len(ordered) - 1
    return {
        name: round(ordered[min(last, int(share * len(ordered)))] * 1000, 3) if ordered else 0.0
        for name, share in shares.items()
    }


def histogram(latencies: array[float]) -> dict[str, int]:
    """How many took at most so many milliseconds; not cumulative."""
    counts = {f"<={edge}": 0 for edge in EDGES_MILLISECONDS}
    for latency in latencies:
        edge = next((e for e in EDGES_MILLISECONDS if latency * 1000 <= e), EDGES_MILLISECONDS[-1])
        counts[f"<={edge}"] += 1
    return counts
