"""`environments/<env>/environment.yaml`: what people decided about an environment."""

from __future__ import annotations

from pipelines.model import environment_kubernetes_yaml as kubernetes
from pipelines.model import yaml_strict
from pipelines.model.environment import (
    KUBERNETES,
    TARGETS,
    AnalysisSettings,
    EnvironmentSettings,
    KubernetesSettings,
)
from pipelines.model.errors import BadInput
from pipelines.model.fields import Fields

_DAY = 86_400.0
# key: lowest and highest value allowed
_NUMBERS = {
    "soak_seconds": (0, _DAY),
    "rollback_window_hours": (0, 24 * 365),
    "ready_timeout_seconds": (1, 600),
    "verify_timeout_seconds": (1, 600),
}
_ANALYSIS_NUMBERS = {
    "probes_per_second": (0.1, 1000),
    "max_error_ratio": (0, 1),
    "max_latency_factor": (1, 1000),
    "min_latency_seconds": (0, 60),
}
_ANALYSIS_INTEGERS = {
    "min_samples": (0, 1_000_000),
    "min_record_samples": (0, 1_000_000),
    "max_memory_growth_bytes_per_minute": (0, 1 << 50),
}
_REQUIRED = ("target", "soak_seconds", "rollback_window_hours", "reason_required")
_KEYS = (
    *("name", "target", "soak_seconds", "rollback_window_hours", "reason_required"),
    *("ready_timeout_seconds", "verify_timeout_seconds", "shadow_bars", "analysis"),
    KUBERNETES,
)


def parse(text: str, name: str, file: str = "") -> EnvironmentSettings:
    """Settings of environment `name`. Raises BadInput naming file, key, value and remedy."""
    file = file or f"environments/{name}/environment.yaml"
    fields = Fields(file, yaml_strict.load_mapping(text, file), _KEYS)
    for key in _REQUIRED:
        fields.raw(key)
    if fields.has("name"):
        fields.choice("name", [name])
    values = {key: fields.number(key, *_NUMBERS[key]) for key in _NUMBERS if fields.has(key)}
    settings = EnvironmentSettings(
        name=name,
        target=fields.choice("target", TARGETS),
        reason_required=fields.boolean("reason_required"),
        shadow_bars=fields.integer("shadow_bars", 0, 100_000) if fields.has("shadow_bars") else 60,
        analysis=_analysis(fields),
        kubernetes=_kubernetes(fields, name),
        **values,
    )
    _refuse_impossible(settings, file)
    return settings


def keys() -> list[str]:
    """Every setting by its dotted path, for the documents."""
    below = {"analysis": (*_ANALYSIS_NUMBERS, *_ANALYSIS_INTEGERS), KUBERNETES: kubernetes.KEYS}
    return [*_KEYS, *(f"{above}.{key}" for above, names in below.items() for key in names)]


def _kubernetes(fields: Fields, name: str) -> KubernetesSettings | None:
    """The mapping is asked for by the target, and may stand ready before the target is changed."""
    wanted = fields.raw("target") == KUBERNETES
    if not fields.has(KUBERNETES):
        if wanted:
            raise BadInput(
                f"{fields.file}: target: 'kubernetes' needs the mapping 'kubernetes'",
                hint="kubernetes: {context: NAME, namespace: slipway-"
                f"{name}, image: REGISTRY/REPOSITORY, database_url_file: PATH}}",
            )
        return None
    found = kubernetes.read(fields.sub(KUBERNETES, kubernetes.KEYS))
    return found if wanted else None


def _analysis(fields: Fields) -> AnalysisSettings:
    if not fields.has("analysis"):
        return AnalysisSettings()
    sub = fields.sub("analysis", (*_ANALYSIS_NUMBERS, *_ANALYSIS_INTEGERS))
    numbers = {k: sub.number(k, *span) for k, span in _ANALYSIS_NUMBERS.items() if sub.has(k)}
    integers = {k: sub.integer(k, *span) for k, span in _ANALYSIS_INTEGERS.items() if sub.has(k)}
    return AnalysisSettings(**numbers, **integers)  # type: ignore[arg-type]


def _refuse_impossible(settings: EnvironmentSettings, file: str) -> None:
    """Production needs its samples; a soak that cannot give them would undo every release."""
    analysis = settings.analysis
    most = settings.soak_seconds * analysis.probes_per_second
    if settings.name == "production" and most < analysis.min_samples:
        raise BadInput(
            f"{file}: soak_seconds: {settings.soak_seconds:g} s at"
            f" {analysis.probes_per_second:g} probes/s gives {most:g} samples,"
            f" analysis.min_samples asks for {analysis.min_samples}",
            hint="lengthen the soak, probe more often or ask for fewer samples",
        )
