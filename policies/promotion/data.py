"""The data of the policy: what each environment demands, and whose word counts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.model.errors import BadInput
from pipelines.model.fields import Fields
from policies import patterns

PLAIN = ("validated", "scanned", "rehearsed")
WITH_VALUES = ("soaked", "shadow_equal", "approvals")
SPEAKERS = ("check", "rehearsal", "approval", "soak")
_MONTH_HOURS = 24.0 * 31


@dataclass(frozen=True, slots=True)
class Demand:
    """`environment` and `seconds` are for soaked and shadow_equal, `count` is for approvals."""

    kind: str
    environment: str = ""
    seconds: float = 0.0
    count: int = 0


@dataclass(frozen=True, slots=True)
class EnvironmentRule:
    """`origins` are patterns of branches (`from`). `hotfix` replaces `demands`; None: no such list."""

    origins: tuple[str, ...]
    demands: tuple[Demand, ...]
    max_age_hours: float
    hotfix: tuple[Demand, ...] | None


@dataclass(frozen=True, slots=True)
class Data:
    """`roles`: for check, rehearsal, approval, soak, who may say it; `{environment}` stands for the
    environment that a soak was in."""

    environments: Mapping[str, EnvironmentRule]
    roles: Mapping[str, tuple[str, ...]]

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any], file: str) -> Data:
        top = Fields(file, mapping, ("environments", "roles"))
        environments = top.mapping("environments")
        if not environments:
            raise BadInput(f"{file}: environments: is empty", hint="write dev, staging, production")
        roles = top.sub("roles", SPEAKERS)
        return cls(
            environments={
                name: _environment(file, value, f"environments.{name}")
                for name, value in environments.items()
            },
            roles={speaker: roles.texts(speaker) for speaker in SPEAKERS},
        )


def _environment(file: str, value: Any, where: str) -> EnvironmentRule:
    fields = Fields(file, value, ("from", "demands", "max_age_hours", "hotfix"), where)
    origins = patterns.read(fields, "from")
    if not origins:
        raise BadInput(
            f"{file}: {where}.from: is empty", hint='nothing could be promoted; or ["*"]'
        )
    return EnvironmentRule(
        origins=origins,
        demands=_demands(fields, "demands", file, where),
        max_age_hours=(
            fields.number("max_age_hours", 0.01, 24 * 3660)
            if fields.has("max_age_hours")
            else _MONTH_HOURS
        ),
        hotfix=_demands(fields, "hotfix", file, where) if fields.has("hotfix") else None,
    )


def _demands(fields: Fields, key: str, file: str, where: str) -> tuple[Demand, ...]:
    found = tuple(
        _demand(item, file, f"{where}.{key}[{position}]")
        for position, item in enumerate(fields.items(key))
    )
    kinds = [demand.kind for demand in found]
    if double := next((kind for kind in kinds if kinds.count(kind) > 1), None):
        raise BadInput(f"{file}: {where}.{key}: {double!r} is there twice", hint="remove one")
    return found


def _demand(item: Any, file: str, where: str) -> Demand:
    if isinstance(item, str) and item in PLAIN:
        return Demand(item)
    if not isinstance(item, dict) or len(item) != 1 or next(iter(item)) not in WITH_VALUES:
        raise BadInput(
            f"{file}: {where}: {item!r:.80} is no demand",
            hint=f"{', '.join(PLAIN)}, soaked: {{environment: staging, seconds: 30}},"
            " shadow_equal: {environment: staging}, approvals: 1",
        )
    kind = next(iter(item))
    if kind == "approvals":
        return Demand(kind, count=Fields(file, item, (kind,), where).integer(kind, 1, 20))
    keys = ("environment", "seconds") if kind == "soaked" else ("environment",)
    inner = Fields(file, item[kind], keys, f"{where}.{kind}")
    seconds = inner.number("seconds", 0, 86_400 * 31) if kind == "soaked" else 0.0
    return Demand(kind, environment=inner.text("environment"), seconds=seconds)
