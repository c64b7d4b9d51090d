"""What the controller's account may do in an environment's namespace, kind by kind.

A release brings objects under names that nobody knows before, so an account that stays needs its
rights by kind; `roles.py` names every object of one set of manifests.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from pipelines.model.resource import Resource
from pipelines.model.sync import SyncSettings
from pipelines.targets.kubernetes.roles import Account, roles

COMMANDS = (
    ("", "pods", ("delete", "get", "list", "watch")),
    ("", "pods/exec", ("create", "get")),
    ("", "pods/log", ("get",)),
    ("", "pods/proxy", ("get",)),
    ("", "configmaps", ("create",)),
    ("apps", "replicasets", ("list", "patch")),
    ("apps", "statefulsets", ("list",)),
    ("batch", "jobs", ("create", "delete", "get", "list", "watch")),
    ("discovery.k8s.io", "endpointslices", ("list",)),
)
"""Beside the manifests: running the application's commands in pods and Jobs, stopping slots, seeing
where connections go, and whether services stand."""


def rules(desired: Sequence[Resource], namespace: str) -> list[dict[str, Any]]:
    """Rules of a Role, sorted; one for each kind. `desired`: what the charts make of values."""
    found: dict[tuple[str, str], set[str]] = {}
    account, settings = Account("slipway", namespace), SyncSettings("slots", namespace)
    for manifest in roles(desired, settings, account):
        for rule in manifest.get("rules") or ():
            _add(found, rule["apiGroups"][0], rule["resources"][0], rule["verbs"])
    for group, plural, verbs in COMMANDS:
        _add(found, group, plural, verbs)
    return [
        {"apiGroups": [group], "resources": [plural], "verbs": sorted(verbs)}
        for (group, plural), verbs in sorted(found.items())
    ]


def _add(
    found: dict[tuple[str, str], set[str]], group: str, plural: str, verbs: Iterable[str]
) -> None:
    found.setdefault((group, plural), set()).update(verbs)
