"""Settings of an environment on a cluster: `slipway:environment` in environments/Pulumi.<stack>.yaml.

Whatever is unknown, missing, of the wrong type or unsafe is refused with its remedy, before Pulumi
plans anything.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from infra import fields, safety
from infra.errors import refuse

STACKS = ("dev", "staging", "production")


@dataclass(frozen=True, slots=True)
class Quota:
    """What all pods of the environment may ask for together. 1,000 millicores are one core."""

    cpu_millicores: int
    memory_mib: int
    pods: int
    volumes: int
    storage_gib: int


@dataclass(frozen=True, slots=True)
class Container:
    """What a container gets that says nothing (`request`, `limit`), and the most one may have."""

    request_cpu_millicores: int
    request_memory_mib: int
    limit_cpu_millicores: int
    limit_memory_mib: int
    max_cpu_millicores: int
    max_memory_mib: int


@dataclass(frozen=True, slots=True)
class Subject:
    """Who may deploy: Group, User, or ServiceAccount with its namespace."""

    kind: str
    name: str
    namespace: str = ""


@dataclass(frozen=True, slots=True)
class Dns:
    """The cluster's name service: its namespace, and the label `k8s-app` of its pods."""

    namespace: str
    app: str


@dataclass(frozen=True, slots=True)
class EnvironmentSettings:
    """One environment. `protect`: Pulumi refuses to delete what it built. `name` is the stack's."""

    namespace: str
    protect: bool
    quota: Quota
    container: Container
    dns: Dns
    deployers: tuple[Subject, ...]
    name: str = ""


def read(stack: str, config: Mapping[str, Any]) -> EnvironmentSettings:
    """Settings of a stack. SettingsError names the first thing that is wrong, and its remedy."""
    if stack not in STACKS:
        refuse(f"unknown stack '{stack}'", f"the stacks are {', '.join(STACKS)}")
    where = "slipway:environment"
    known = fields.keys(EnvironmentSettings, config, where)
    if "name" in config:
        refuse(f"{where} says a 'name'", "leave it out, the stack is the name")
    for name in ("namespace", "protect"):
        fields.plain(config[name], known[name], f"{where}.{name}")
    settings = EnvironmentSettings(
        namespace=config["namespace"],
        protect=config["protect"],
        quota=fields.read(Quota, config["quota"], "quota"),
        container=fields.read(Container, config["container"], "container"),
        dns=fields.read(Dns, config["dns"], "dns"),
        deployers=_deployers(config["deployers"]),
        name=stack,
    )
    safety.judge(settings)
    return settings


def _deployers(found: Any) -> tuple[Subject, ...]:
    if not isinstance(found, list):
        refuse(f"deployers is {found!r}", "write a list of subjects with kind and name")
    return tuple(
        fields.read(Subject, subject, f"deployers[{number}]")
        for number, subject in enumerate(found)
    )
