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
CREATE_NAMESPACE = "CreateNamespace"
OWN = (("", "configmaps", ("create", "get", "patch")),)
"""The config map `slipway-sync`."""

Right = tuple[str, str, tuple[str, ...]]
"""Group, plural, names (none: all of them)."""


def controller_rights(
    desired: Sequence[Resource], namespace: str, options: frozenset[str] = frozenset()
) -> list[Manifest]:
    """A Role and its binding; with the option CreateNamespace also a ClusterRole and its binding.
    `desired`: all that the charts make of an environment's values, with hooks. `options`: sync options
    of its Applications. Equal input gives equal output."""
    found: dict[Right, set[str]] = {}
    account = Account(ACCOUNT, namespace)
    settings = SyncSettings("slots", namespace, options=options - {CREATE_NAMESPACE})
    for manifest in roles(desired, settings, account):
        for rule in manifest.get("rules") or ():
            _add(found, rule, by_name=rule["apiGroups"] == [RBAC])
    for role in desired:
        if (role.group, role.kind) == (RBAC, "Role"):
            for rule in role.manifest.get("rules") or ():
                _add(found, rule, by_name=True)
    for group, plural, verbs in OWN:
        found.setdefault((group, plural, ()), set()).update(verbs)
    given = _bound("Role", {"name": ROLE, "namespace": namespace}, _rules(found), account)
    if CREATE_NAMESPACE in options:
        # What has no namespace needs a name of its own for each environment.
        rules = _of_the_namespace(namespace)
        given += _bound("ClusterRole", {"name": f"{ROLE}-{namespace}"}, rules, account)
    return given


def _of_the_namespace(name: str) -> list[dict[str, Any]]:
    """It is made where it is missing; no manifest has it, so it is never removed. Who watches cannot
    be held to one name."""
    kind = {"apiGroups": [""], "resources": ["namespaces"]}
    return [
        {**kind, "verbs": ["list", "watch"]},
        {**kind, "verbs": ["create", "get", "patch"], "resourceNames": [name]},
    ]


def _bound(
    kind: str, metadata: Mapping[str, str], rules: list[dict[str, Any]], account: Account
) -> list[Manifest]:
    subject = {"kind": "ServiceAccount", "name": account.name, "namespace": account.namespace}
    return [
        {"apiVersion": f"{RBAC}/v1", "kind": kind, "metadata": dict(metadata), "rules": rules},
        {
            "apiVersion": f"{RBAC}/v1",
            "kind": f"{kind}Binding",
            "metadata": dict(metadata),
            "roleRef": {"apiGroup": RBAC, "kind": kind, "name": metadata["name"]},
            "subjects": [subject],
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
