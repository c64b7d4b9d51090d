"""`RespectIgnoreDifferences`: what a sync ignores it also leaves as it is.

An applied field must have live's value, and one that live lacks must not be sent: server-side apply
would otherwise take the field over, or take it away when it is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.model.resource import Manifest, Resource
from pipelines.model.sync import IgnoreRule, SyncSettings

OPTION = "RespectIgnoreDifferences"


def respecting(desired: Resource, live: Resource, settings: SyncSettings) -> Manifest:
    """The manifest to send. The same one where the option is off or no rule is about the object."""
    if OPTION not in settings.options:
        return desired.manifest
    manifest: Any = desired.manifest
    for rule in settings.ignore:
        if not about(rule, desired):
            continue
        paths = [_parts(pointer) for pointer in rule.json_pointers]
        paths += _owned(live, rule.managed_fields_managers)
        for path in paths:
            manifest = _as_live(manifest, live.manifest, path)
    return dict(manifest)


def about(rule: IgnoreRule, resource: Resource) -> bool:
    """Empty kind, name and namespace match all, and so does `*`; an empty group is the core API."""
    return all(
        (wanted == found or wanted == "*" or (may_be_empty and not wanted))
        for wanted, found, may_be_empty in (
            (rule.group, resource.group, not rule.kind),
            (rule.kind, resource.kind, True),
            (rule.name, resource.name, True),
            (rule.namespace, resource.namespace, True),
        )
    )


def _parts(pointer: str) -> list[str]:
    return [part.replace("~1", "/").replace("~0", "~") for part in pointer.split("/")[1:]]


def _as_live(desired: Any, live: Any, path: Sequence[str]) -> Any:
    """`desired` with what stands at `path` in `live`; without it where live has nothing there."""
    here, rest = path[0], path[1:]
    if isinstance(desired, list) and isinstance(live, list):
        return _item_as_live(desired, live, here, rest)
    if not isinstance(desired, Mapping):
        return desired
    there = live.get(here, _NOTHING) if isinstance(live, Mapping) else _NOTHING
    if not rest:
        kept = {name: value for name, value in desired.items() if name != here}
        return kept if there is _NOTHING else {**kept, here: there}
    if here not in desired:
        return desired
    return {**desired, here: _as_live(desired[here], there, rest)}


_NOTHING: Any = object()


def _item_as_live(desired: list[Any], live: list[Any], here: str, rest: Sequence[str]) -> list[Any]:
    number = int(here) if here.isdigit() else -1
    if not (0 <= number < len(desired) and number < len(live)):
        return desired
    item = _as_live(desired[number], live[number], rest) if rest else live[number]
    return [*desired[:number], item, *desired[number + 1 :]]


def _owned(live: Resource, managers: Sequence[str]) -> list[list[str]]:
    """Paths of the fields that live says these managers own; elements of lists are left out."""
    found: list[list[str]] = []
    for entry in live.metadata.get("managedFields") or ():
        if entry.get("manager") in managers:
            _leaves(entry.get("fieldsV1") or {}, [], found)
    return found


def _leaves(fields: Mapping[str, Any], path: list[str], found: list[list[str]]) -> None:
    for name, below in fields.items():
        if not name.startswith("f:"):
            continue
        here = [*path, name[2:]]
        if below and any(key.startswith("f:") for key in below):
            _leaves(below, here, found)
        else:
            found.append(here)
