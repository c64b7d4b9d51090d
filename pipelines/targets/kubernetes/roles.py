"""The rights a syncer needs, and no more: Roles made from the very manifests that it applies.

What has a name gets `resourceNames`. Listing and watching cannot be limited by name, and neither can
a POST: kinds that have hooks or are replaced may be created under any name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pipelines.engine.sync.hooks import is_hook
from pipelines.engine.sync.kinds import NAMESPACED
from pipelines.engine.sync.options import on
from pipelines.model.resource import Manifest, Resource
from pipelines.model.sync import SyncSettings
from pipelines.targets.kubernetes.plurals import Plurals

RBAC = "rbac.authorization.k8s.io"
LOOK = ("list", "watch")
NAMED = ("delete", "get", "patch", "update")


@dataclass(frozen=True, slots=True)
class Account:
    """The service account that the rights are given to."""

    name: str
    namespace: str


@dataclass
class _Need:
    """What is needed of one kind in one place."""

    names: set[str] = field(default_factory=set)
    created: set[str] = field(default_factory=set)
    posted: bool = False
    bound: set[tuple[str, str]] = field(default_factory=set)


def roles(
    desired: Sequence[Resource],
    settings: SyncSettings,
    account: Account,
    *,
    extra: Iterable[Mapping[str, Any]] = (),
) -> list[Manifest]:
    """A Role and its binding for each namespace, a ClusterRole and its binding where something has
    no namespace. `desired` is everything the account ever applies: give it the manifests before a
    change too, or what goes away cannot be pruned. `extra` are rules for the application's own
    namespace (running commands in pods). Equal input gives equal output."""
    plurals = Plurals(desired)
    needs: dict[str, dict[tuple[str, str], _Need]] = {settings.namespace: {}}
    for resource in desired:
        _count(needs, resource, settings, plurals)
    if "CreateNamespace" in settings.options:
        made = needs.setdefault("", {}).setdefault(("", "namespaces"), _Need())
        made.names.add(settings.namespace)
        made.created.add(settings.namespace)
    found: list[Manifest] = []
    for namespace in sorted(needs):
        rules = _rules(needs[namespace])
        if namespace == settings.namespace:
            rules += [dict(rule) for rule in extra]
        if rules:
            found += _role(f"slipway-{settings.application}", namespace, rules, account)
    return found


def _count(
    needs: dict[str, dict[tuple[str, str], _Need]],
    resource: Resource,
    settings: SyncSettings,
    plurals: Plurals,
) -> None:
    kind = (resource.group, resource.kind)
    namespaced = plurals.scopes.get(kind, NAMESPACED.get(kind, True))
    namespace = (resource.namespace or settings.namespace) if namespaced else ""
    place = needs.setdefault(namespace, {})
    need = place.setdefault((resource.group, plurals.of(*kind)), _Need())
    if not resource.name:
        need.posted = True
        return
    need.names.add(resource.name)
    need.created.add(resource.name)
    if is_hook(resource) or on(resource, "Replace", settings.options):
        need.posted = True
    reference = resource.manifest.get("roleRef")
    if resource.group == RBAC and isinstance(reference, Mapping):
        need.bound.add((str(reference.get("kind")), str(reference.get("name"))))


def _rules(needs: Mapping[tuple[str, str], _Need]) -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = []
    for (group, plural), need in sorted(needs.items()):
        rules.append(_rule(group, plural, (*LOOK, "create") if need.posted else LOOK))
        if need.names:
            verbs = NAMED if need.posted else (*NAMED, "create")
            if group == RBAC and plural in ("roles", "clusterroles"):
                verbs = (*verbs, "escalate")
            rules.append(_rule(group, plural, verbs, need.names))
        for kind, name in sorted(need.bound):
            rules.append(_rule(RBAC, f"{kind.lower()}s", ("bind",), {name}))
    return rules


def _rule(
    group: str, plural: str, verbs: Sequence[str], names: Iterable[str] = ()
) -> dict[str, Any]:
    rule: dict[str, Any] = {"apiGroups": [group], "resources": [plural], "verbs": sorted(verbs)}
    if listed := sorted(names):
        rule["resourceNames"] = listed
    return rule


def _role(
    name: str, namespace: str, rules: list[dict[str, Any]], account: Account
) -> list[Manifest]:
    kind = "Role" if namespace else "ClusterRole"
    metadata = {"name": name, "namespace": namespace} if namespace else {"name": name}
    subject = {"kind": "ServiceAccount", "name": account.name, "namespace": account.namespace}
    return [
        {"apiVersion": f"{RBAC}/v1", "kind": kind, "metadata": metadata, "rules": rules},
        {
            "apiVersion": f"{RBAC}/v1",
            "kind": f"{kind}Binding",
            "metadata": metadata,
            "roleRef": {"apiGroup": RBAC, "kind": kind, "name": name},
            "subjects": [subject],
        },
    ]
