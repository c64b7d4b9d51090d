"""Which settings of which strategy a change touches: differences of `environments/*/values.yaml`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.model import yaml_strict
from pipelines.model.check import Change, Tree
from pipelines.model.values import merge

BASE = "environments/base/values.yaml"
_VALUES = re.compile(r"environments/[^/]+/values\.yaml")
_INSTANCES = ("trading", "strategies")
_ABSENT = object()

Path = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class ValueChange:
    """A changed key; `before` and `after` are the plug-in of the strategy instance it belongs to on
    each side, empty where it belongs to none."""

    file: str
    key: str
    before: str
    after: str


def values_changes(change: Change) -> tuple[ValueChange, ...]:
    """In the order of files and keys. Raises BadInput for values that cannot be read."""
    files = {path for file in change.files for path in file.paths if _VALUES.fullmatch(path)}
    return tuple(found for file in sorted(files) for found in _changes(change, file))


def _changes(change: Change, file: str) -> Iterator[ValueChange]:
    old, new = _read(change.base, file), _read(change.head, file)
    old_plugins, new_plugins = _plugins(change.base, file, old), _plugins(change.head, file, new)
    old_leaves, new_leaves = dict(_leaves(old)), dict(_leaves(new))
    for path in sorted({*old_leaves, *new_leaves}):
        if old_leaves.get(path, _ABSENT) != new_leaves.get(path, _ABSENT):
            name = path[2] if path[:2] == _INSTANCES and len(path) > 2 else ""
            before, after = old_plugins.get(name, ""), new_plugins.get(name, "")
            yield ValueChange(file, ".".join(path), before, after)


def _read(tree: Tree, file: str) -> dict[str, Any]:
    return yaml_strict.load_mapping(tree.text(file) or "", file)


def _leaves(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """Lists count as one value: their items have no names."""
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _leaves(inner, (*path, key))
    elif path:
        yield path, value


def _plugins(tree: Tree, file: str, values: Mapping[str, Any]) -> dict[str, str]:
    """Plug-in by instance, with the base values below those of an environment."""
    whole = values if file == BASE else merge(_read(tree, BASE), values, file)
    instances: Any = whole
    for key in _INSTANCES:
        instances = instances.get(key) if isinstance(instances, Mapping) else None
    if not isinstance(instances, Mapping):
        return {}
    return {
        name: str(settings.get("plugin", ""))
        for name, settings in instances.items()
        if isinstance(settings, Mapping)
    }
