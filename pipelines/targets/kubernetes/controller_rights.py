"""What Slipway's syncer may do in its cluster: write what the charts render, hooks and their rights too.

Kind by kind, as in `rights.py`, since a release brings names that nobody knows before; Roles and their
bindings by name. A Role may be written by who has its rights itself, so those are in here as well:
`escalate` would be a way to every right there is. `bind` of those Roles is none, and without it their
bindings could not be tried dry before the Roles exist.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.model.resource import Manifest, Resource
from pipelines.model.sync import SyncSettings
from pipelines.targets.kubernetes.roles import RBAC, Account, roles

ACCOUNT, ROLE = "slipway-controller", "slipway-controller-in-cluster"
GIVES_MORE = {"escalate"}
OWN = (("", "configmaps", ("create", "get", "patch")),)
"""The config map `slipway-sync`."""

Right = tuple[str, str, tuple[str, ...]]
"""Group, plural, names (none: all of them)."""


def controller_rights(desired: Sequence[Resource], namespace: str) -> list[Manifest]:
    """A Role and its binding. `desired`: all that the charts make of an environment's values, with
    hooks. Equal input gives equal output."""
    found: dict[Right, set[str]] = {}
    account, settings = Account(ACCOUNT, namespace), SyncSettings("slots", namespace)
    for manifest in roles(desired, settings, account):
        for rule in manifest.get("rules") or ():
            _add(found, rule, by_name=rule["apiGroups"] == [RBAC])
    for role in desired:
        if (role.group, role.kind) == (RBAC, "Role"):
            for rule in role.manifest.get("rules") or ():
                _add(found, rule, by_name=True)
    for group, plural, verbs in OWN:
        found.setdefault((group, plural, ()), set()).update(verbs)
    metadata = {"name": ROLE, "namespace": namespace}
    return [
        {
            "apiVersion": f"{RBAC}/v1",
            "kind": "Role",
            "metadata": metadata,
            "rules": _rules(found),
        },
        {
            "apiVersion": f"{RBAC}/v1",
            "kind": "RoleBinding",
            "metadata": metadata,
            "roleRef": {"apiGroup": RBAC, "kind": "Role", "name": ROLE},
            "subjects": [{"kind": "ServiceAccount", "name": ACCOUNT, "namespace": namespace}],
        },
    ]


def _add(found: dict[Right, set[str]], rule: Mapping[str, Any], *, by_name: bool) -> None:
    names = tuple(rule.get("resourceNames") or ()) if by_name else ()
    for group in rule["apiGroups"]:
        for plural in rule["resources"]:
            verbs = set(rule["verbs"]) - GIVES_MORE
            if verbs:
                found.setdefault((group, plural, names), set()).update(verbs)


def _rules(found: Mapping[Right, set[str]]) -> list[dict[str, Any]]:
    """Sorted, without a name's right that everybody of the kind has; equal rights in one rule."""
    rules: dict[tuple[str, str, tuple[str, ...], bool], set[str]] = {}
    for (group, plural, names), verbs in found.items():
        left = verbs - found.get((group, plural, ()), set()) if names else verbs
        if left:
            rules.setdefault((group, plural, tuple(sorted(left)), bool(names)), set()).update(names)
    return [
        {"apiGroups": [group], "resources": [plural], "verbs": list(verbs)}
        | ({"resourceNames": sorted(names)} if names else {})
        for (group, plural, verbs, _), names in sorted(rules.items())
    ]
