"""Counters of this process in Prometheus' text format, cheap enough for every request."""

from __future__ import annotations

import resource
from bisect import bisect_left
from pathlib import Path

BUCKETS_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_PAGE_BYTES = resource.getpagesize()


class Metrics:
    """Requests by method and status, and how long they took. Only the event loop writes."""

    def __init__(self) -> None:
        self.requests: dict[tuple[str, int], int] = {}
        self._buckets = [0] * (len(BUCKETS_SECONDS) + 1)
        self._seconds = 0.0

    def count(self, method: str, status: int, seconds: float) -> None:
        key = (method, status)
        self.requests[key] = self.requests.get(key, 0) + 1
        self._buckets[bisect_left(BUCKETS_SECONDS, seconds)] += 1
        self._seconds += seconds

    def text(self, gauges: dict[str, float]) -> str:
        """The exposition; `gauges` are further values by name."""
        lines = ["# TYPE http_requests_total counter"]
        lines += [
            f'http_requests_total{{method="{method}",status="{status}"}} {count}'
            for (method, status), count in sorted(self.requests.items())
        ]
        lines.append("# TYPE http_request_duration_seconds histogram")
        total = 0
        for edge, count in zip((*BUCKETS_SECONDS, "+Inf"), self._buckets, strict=True):
            total += count
            lines.append(f'http_request_duration_seconds_bucket{{le="{edge}"}} {total}')
        lines.append(f"http_request_duration_seconds_sum {self._seconds:.6f}")
        lines.append(f"http_request_duration_seconds_count {total}")
        for name, value in gauges.items():
            lines += [f"# TYPE {name} gauge", f"{name} {value:.17g}"]
        return "\n".join(lines) + "\n"


def resident_bytes() -> int:
    """Physical memory of this process."""
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE_BYTES


def cpu_seconds() -> float:
    """Processor time of this process since its start."""
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return usage.ru_utime + usage.ru_stime
