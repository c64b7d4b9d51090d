"""Settings of an environment: `environments/<env>/environment.yaml`, decided by people."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AnalysisSettings:
    """What the soak after a switch measures and when it says no.

    Outside dev, `min_samples` own probes are needed, and `min_record_samples` of what the
    application did live against its own record (where it offers `record`), or the answer is no;
    `max_error_ratio` of answers that are not 2xx/3xx/4xx or take over a second;
    `max_latency_factor` on p95 against the old slot probed at the same time, ignored below
    `min_latency_seconds` of absolute difference; `max_memory_growth_bytes_per_minute` per process.
    """

    probes_per_second: float = 20.0
    min_samples: int = 100
    min_record_samples: int = 5
    max_error_ratio: float = 0.01
    max_latency_factor: float = 2.0
    min_latency_seconds: float = 0.005
    max_memory_growth_bytes_per_minute: int = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class EnvironmentSettings:
    """One environment, as data. Times in seconds."""

    name: str
    target: str
    soak_seconds: float
    rollback_window_hours: float
    reason_required: bool
    ready_timeout_seconds: float = 20.0
    verify_timeout_seconds: float = 25.0
    shadow_bars: int = 60
    analysis: AnalysisSettings = AnalysisSettings()
