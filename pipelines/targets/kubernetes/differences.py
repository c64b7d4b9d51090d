"""What a hand changed in an object of a slot: the server is asked what applying would change."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from pipelines.model.resource import Resource
from pipelines.model.sync import FieldChange
from pipelines.targets.kubernetes.cluster import ApiRefused, Cluster

UNINTERESTING = ("managedFields", "resourceVersion", "generation", "uid", "creationTimestamp")


def changes_of(cluster: Cluster, desired: Resource, live: Resource) -> Sequence[FieldChange]:
    """`old` is what live says. A server-side dry run decides, so defaults and the order of maps
    are no difference. What the API refuses to change is one immutable change of the whole."""
    try:
        wanted = cluster.apply(desired.manifest, dry_run=True)
    except ApiRefused as refused:
        if refused.reason != "Invalid":
            raise
        return (FieldChange("/", None, None, immutable=True),)
    owners = list(_owners(live))
    return tuple(
        FieldChange(path, old, new, *_owner(path, owners))
        for path, old, new in _walk("", _body(live), _body(wanted))
    )


def _body(resource: Resource) -> Mapping[str, Any]:
    metadata = {k: v for k, v in resource.metadata.items() if k not in UNINTERESTING}
    return {**resource.manifest, "metadata": metadata, "status": None}


def _walk(path: str, old: Any, new: Any) -> Iterator[tuple[str, Any, Any]]:
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for name in sorted({*old, *new}):
            step = str(name).replace("~", "~0").replace("/", "~1")
            yield from _walk(f"{path}/{step}", old.get(name), new.get(name))
    elif isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        for number, (one, other) in enumerate(zip(old, new, strict=True)):
            yield from _walk(f"{path}/{number}", one, other)
    elif old != new:
        yield path, old, new


def _owners(live: Resource) -> Iterator[tuple[tuple[str, ...], str, str]]:
    """Every owned field as its names without indexes, its manager and since when."""
    for entry in live.metadata.get("managedFields") or ():
        manager, since = str(entry.get("manager", "")), str(entry.get("time", ""))
        for names in _fields(entry.get("fieldsV1") or {}):
            yield names, manager, since


def _fields(tree: Mapping[str, Any], above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    for key, below in tree.items():
        if key == ".":
            continue
        names = (*above, key[2:]) if key.startswith("f:") else above
        if below and set(below) != {"."}:
            yield from _fields(below, names)
        else:
            yield names


def _owner(path: str, owners: Sequence[tuple[tuple[str, ...], str, str]]) -> tuple[str, str]:
    """Manager and time of the newest owner; empty where nobody is named."""
    steps = [step.replace("~1", "/").replace("~0", "~") for step in path.split("/")[1:]]
    names = tuple(step for step in steps if not step.isdigit())
    found = [(since, manager) for owned, manager, since in owners if owned == names]
    since, manager = max(found, default=("", ""))
    return manager, since
