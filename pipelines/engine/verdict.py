"""How a soak ended: own probes beside real traffic, a baseline, and a stated sample size. Pure."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pipelines.model.environment import AnalysisSettings
from pipelines.model.live import Check, TrafficCounters

# One-sided 97.5 % bound of the Wilson score interval (Wilson 1927): a ratio counts as too high
# only when chance alone would give it less than 2.5 % of the time.
_Z = 1.96

# Under so many, p95 rests on fewer than two answers and says nothing.
_LATENCY_SAMPLES = 40


@dataclass(frozen=True, slots=True)
class Observation:
    """What one release answered. Latencies in seconds, memory as (elapsed seconds, bytes)."""

    latencies_seconds: tuple[float, ...] = ()
    errors: int = 0
    examples: tuple[str, ...] = ()
    counters: TrafficCounters = field(default=TrafficCounters(0, 0))
    memory: Mapping[str, Sequence[tuple[float, int]]] | None = None
    restarts: int = 0

    @property
    def samples(self) -> int:
        return len(self.latencies_seconds) + self.errors


def percentile(values: Sequence[float], fraction: float) -> float:
    """Nearest-rank percentile; 0.0 of nothing."""
    if not values:
        return 0.0
    ordered = sorted(values)
    rank = max(0, min(len(ordered) - 1, round(fraction * len(ordered) + 0.5) - 1))
    return ordered[rank]


def percentile_bounds(values: Sequence[float], fraction: float) -> tuple[float, float]:
    """Distribution-free 95 % interval of a percentile by order statistics (Conover 1999, 3.2);
    (0, 0) of nothing."""
    if not values:
        return 0.0, 0.0
    ordered, n = sorted(values), len(values)
    spread = _Z * (n * fraction * (1 - fraction)) ** 0.5
    low, high = math.floor(n * fraction - spread), math.ceil(n * fraction + spread)
    return ordered[min(max(low - 1, 0), n - 1)], ordered[min(max(high - 1, 0), n - 1)]


def wilson_lower(bad: int, total: int) -> float:
    """Lower bound of the Wilson score interval of bad/total."""
    if total == 0:
        return 0.0
    ratio = bad / total
    centre = ratio + _Z * _Z / (2 * total)
    margin = _Z * ((ratio * (1 - ratio) + _Z * _Z / (4 * total)) / total) ** 0.5
    return float((centre - margin) / (1 + _Z * _Z / total))


def judge(
    settings: AnalysisSettings, new: Observation, baseline: Observation, *, samples_required: bool
) -> list[Check]:
    """All checks of a soak (or of the part of it that has passed)."""
    return [
        _samples(settings, new, required=samples_required),
        _errors("errors", settings, new.errors, new.samples, new.examples),
        _errors("traffic errors", settings, new.counters.server_errors, new.counters.requests, ()),
        _latency(settings, new, baseline),
        _memory(settings, new),
        Check(
            "restarts",
            new.restarts == 0,
            f"{new.restarts} processes restarted; look at: slipway logs"
            if new.restarts
            else "no process restarted",
            max(1, new.samples),
        ),
    ]


def _samples(settings: AnalysisSettings, new: Observation, *, required: bool) -> Check:
    enough = new.samples >= settings.min_samples
    message = f"{new.samples} probes of at least {settings.min_samples}"
    return Check("samples", enough or not required, message, new.samples)


def _errors(
    name: str, settings: AnalysisSettings, bad: int, total: int, examples: tuple[str, ...]
) -> Check:
    ok = wilson_lower(bad, total) <= settings.max_error_ratio
    share = bad / total if total else 0.0
    text = f"{bad} of {total} answers failed ({share:.1%}, at most {settings.max_error_ratio:.1%})"
    if examples and not ok:
        text += f"; such as {examples[0]}"
    return Check(name, ok, text, total)


def _latency(settings: AnalysisSettings, new: Observation, baseline: Observation) -> Check:
    """Slower only when the intervals of both p95 say so: a few stray answers of a busy machine
    must not undo a release, and few samples make a wide interval."""
    before = percentile(baseline.latencies_seconds, 0.95)
    after = percentile(new.latencies_seconds, 0.95)
    least = percentile_bounds(new.latencies_seconds, 0.95)[0]
    most = percentile_bounds(baseline.latencies_seconds, 0.95)[1]
    slower = least > most * settings.max_latency_factor
    noticeable = least - most >= settings.min_latency_seconds
    enough = min(len(new.latencies_seconds), len(baseline.latencies_seconds)) >= _LATENCY_SAMPLES
    ok = not (enough and slower and noticeable)
    return Check(
        "latency",
        ok,
        f"p95 {after * 1000:.1f} ms against {before * 1000:.1f} ms of the old release at the same "
        f"time (at most × {settings.max_latency_factor:g})",
        len(new.latencies_seconds),
    )


def _memory(settings: AnalysisSettings, new: Observation) -> Check:
    limit = settings.max_memory_growth_bytes_per_minute
    for name, series in (new.memory or {}).items():
        growth = slope_per_minute(series)
        if growth > limit:
            return Check(
                "memory",
                False,
                f"process {name} grows by {growth / 2**20:.0f} MiB a minute (at most {limit / 2**20:.0f})",
                len(series),
            )
    longest = max((len(s) for s in (new.memory or {}).values()), default=0)
    return Check("memory", True, "memory is steady", longest)


def slope_per_minute(series: Sequence[tuple[float, int]]) -> float:
    """Least-squares slope in bytes a minute; 0 under five points or five seconds, where the slope
    would be made of start-up."""
    if len(series) < 5 or series[-1][0] - series[0][0] < 5.0:
        return 0.0
    mean_t = sum(t for t, _ in series) / len(series)
    mean_m = sum(m for _, m in series) / len(series)
    spread = sum((t - mean_t) ** 2 for t, _ in series)
    return 60.0 * sum((t - mean_t) * (m - mean_m) for t, m in series) / spread
