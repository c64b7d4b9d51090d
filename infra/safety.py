"""Combinations of settings that are each of their type and still must not be built."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from infra.errors import refuse

if TYPE_CHECKING:
    from infra.settings import Container, EnvironmentSettings, Quota, Subject

_LABEL = re.compile(r"[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?")  # RFC 1123, as Kubernetes has it
_KINDS = ("Group", "ServiceAccount", "User")
_SYSTEM = "system:"
"""Kubernetes' own groups and users: everybody, nobody, or those that may do anything."""


def judge(settings: EnvironmentSettings) -> None:
    """SettingsError for the first combination that is unsafe."""
    _namespace(settings)
    _limits(settings.container)
    _room(settings.quota, settings.container)
    _dns(settings)
    if not settings.deployers:
        refuse("deployers is empty", "name the group or service account that deploys")
    for subject in settings.deployers:
        _deployer(subject, settings)
    if settings.name == "production" and not settings.protect:
        refuse("production with protect: false", "write true; a mistyped destroy would end trading")


def _namespace(settings: EnvironmentSettings) -> None:
    name = settings.namespace
    if not _LABEL.fullmatch(name):
        refuse(f"namespace is '{name}'", "use a-z, 0-9 and '-', at most 63 characters")
    if not name.endswith(f"-{settings.name}"):
        remedy = f"write <team>-{settings.name}, so that no stack builds in another's namespace"
        refuse(f"namespace '{name}' in the stack {settings.name}", remedy)
    if name.startswith("kube-"):
        refuse(f"namespace is '{name}'", "kube-* is Kubernetes' own, take another name")


def _limits(container: Container) -> None:
    for what in ("cpu_millicores", "memory_mib"):
        request, limit, most = (
            getattr(container, f"{word}_{what}") for word in ("request", "limit", "max")
        )
        if not 0 < request <= limit <= most:
            refuse(
                f"container {what}: request {request}, limit {limit}, max {most}",
                "write 0 < request <= limit <= max",
            )


def _room(quota: Quota, container: Container) -> None:
    for what in ("cpu_millicores", "memory_mib"):
        whole, most = getattr(quota, what), getattr(container, f"max_{what}")
        if whole < 2 * most:
            remedy = f"write at least {2 * most}: during a switch both releases run"
            refuse(f"quota.{what} {whole} is less than two containers of {most}", remedy)
    if quota.pods < 2:
        refuse(f"quota.pods is {quota.pods}", "write at least 2: during a switch both releases run")


def _dns(settings: EnvironmentSettings) -> None:
    for name, value in (("namespace", settings.dns.namespace), ("app", settings.dns.app)):
        if not _LABEL.fullmatch(value):
            remedy = "name one label; an empty or open selector would allow every pod"
            refuse(f"dns.{name} is '{value}'", remedy)


def _deployer(subject: Subject, settings: EnvironmentSettings) -> None:
    words = f"deployer {subject.kind} '{subject.name}'"
    if subject.kind not in _KINDS:
        refuse(f"{words} is of an unknown kind", f"write one of {', '.join(_KINDS)}")
    if subject.name.startswith(_SYSTEM) or "*" in subject.name:
        refuse(f"{words} is not one deployer", "name a group or service account of your own")
    if subject.kind != "ServiceAccount":
        if subject.namespace:
            refuse(f"{words} has a namespace", "leave it out, only a ServiceAccount has one")
        return
    if not _LABEL.fullmatch(subject.namespace):
        refuse(f"{words} has the namespace '{subject.namespace}'", "say in which one it lies")
    if subject.name == "default":
        refuse(f"{words} is every pod that names no account", "make an account for deploying")
    if subject.namespace == settings.namespace:
        remedy = "keep it in a namespace of its own, such as slipway-system"
        refuse(f"{words} lies in the namespace it deploys to, where pods could use it", remedy)
