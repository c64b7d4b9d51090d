"""Settings of an environment: `environments/<env>/environment.yaml`, decided by people."""

from __future__ import annotations

from dataclasses import dataclass

LOCAL, KUBERNETES = "local", "kubernetes"
TARGETS = (LOCAL, KUBERNETES)
SLIPWAY, DEPLOYMENT, ARGO_CD = "slipway", "deployment", "argo-cd"
CONTROLLERS = (SLIPWAY, DEPLOYMENT, ARGO_CD)
OPERATION_SECONDS = 900.0


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
class KubernetesSettings:
    """Where an environment with `target: kubernetes` runs and who applies it.

    `context` is a name in KUBECONFIG; empty: the cluster whose pod this is. `image` and
    `engine_image` are repositories without a tag: that of the application's image is the release's
    id. `database_url_file` holds the URI by which Slipway itself reaches the environment's
    PostgreSQL (pods are given theirs by a secret that the chart's values name); a relative path
    lies in the state folder. `controller` says who applies the branch: `slipway` on the release host,
    `deployment`, which is Slipway in the cluster, or `argo-cd`.
    """

    namespace: str
    image: str
    context: str = ""
    controller: str = SLIPWAY
    engine_image: str = ""
    engine_tag: str = ""
    database_url_file: str = ""
    operation_timeout_seconds: float = OPERATION_SECONDS

    @property
    def hooked(self) -> bool:
        """Somebody in the cluster syncs the branch, which then carries the steps as hooks."""
        return self.controller in (DEPLOYMENT, ARGO_CD)


@dataclass(frozen=True, slots=True)
class EnvironmentSettings:
    """One environment, as data. Times in seconds. `kubernetes` is there with that target alone."""

    name: str
    target: str
    soak_seconds: float
    rollback_window_hours: float
    reason_required: bool
    ready_timeout_seconds: float = 20.0
    verify_timeout_seconds: float = 25.0
    shadow_bars: int = 60
    analysis: AnalysisSettings = AnalysisSettings()
    kubernetes: KubernetesSettings | None = None
