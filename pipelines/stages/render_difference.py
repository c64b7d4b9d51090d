"""What differs between two renderings, as rows of dotted paths. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.stages.protocol import Rendered

EVERYWHERE = "all"
KINDS = ("strategies", "values", "settings", "processes", "migrations", "dependencies")
"""In the order of the report."""


@dataclass(frozen=True, slots=True)
class Row:
    """`old` or `new` is None where there is nothing. `environments` joined by commas, or `all`."""

    kind: str
    environments: str
    path: str
    old: str | None
    new: str | None


def difference(old: Rendered, new: Rendered) -> list[Row]:
    """Rows of everything, the same change of several environments in one row."""
    rows = [
        *_everywhere("processes", _shape(old), _shape(new)),
        *_everywhere("migrations", _listed(old.migrations), _listed(new.migrations)),
        *_everywhere("dependencies", old.dependencies, new.dependencies),
    ]
    settings: dict[tuple[str, str, str | None, str | None], list[str]] = {}
    environments = list(new.values)
    for environment in environments:
        strategies = new.strategies_at or old.strategies_at
        for kind, path, before, after in _of_environment(old, new, environment, strategies):
            settings.setdefault((kind, path, before, after), []).append(environment)
    for (kind, path, before, after), where in settings.items():
        named = EVERYWHERE if where == environments else ", ".join(where)
        rows.append(Row(kind, named, path, before, after))
    return sorted(rows, key=lambda r: (KINDS.index(r.kind), r.path, r.environments))


def against_running(running: Mapping[str, Any], new: Rendered, environment: str) -> list[Row]:
    """What differs from the `processes.yaml` of the environment's active slot."""
    shape = {
        name: {"args": v["args"], "sockets": v["sockets"]} for name, v in new.processes.items()
    }
    before = running.get("values") or {}
    rows = [
        *_everywhere("processes", flat(running.get("processes") or {}), flat(shape)),
        *_everywhere("migrations", _listed(running.get("migrations") or ()),
                     _listed(new.migrations)),
    ]  # fmt: skip
    for path, was, now in _changes(flat(before), flat(new.values.get(environment, {}))):
        rows.append(Row(_kind(path, new.strategies_at), environment, path, was, now))
    return sorted(rows, key=lambda row: (KINDS.index(row.kind), row.path))


def flat(value: Any, path: str = "") -> dict[str, str]:
    """Dotted path → JSON text of what stands there; an empty mapping stands for itself."""
    if isinstance(value, Mapping) and value:
        found: dict[str, str] = {}
        for key, item in value.items():
            found |= flat(item, f"{path}.{key}" if path else str(key))
        return found
    if not path:
        return {}
    return {path: json.dumps(value, ensure_ascii=False, sort_keys=True)}


def _of_environment(
    old: Rendered, new: Rendered, environment: str, strategies: str
) -> list[tuple[str, str, str | None, str | None]]:
    values = _changes(flat(old.values.get(environment, {})), flat(new.values.get(environment, {})))
    settings = _changes(
        flat(old.settings.get(environment, {})), flat(new.settings.get(environment, {}))
    )
    return [
        *((_kind(path, strategies), path, before, after) for path, before, after in values),
        *(("settings", path, before, after) for path, before, after in settings),
    ]


def _kind(path: str, strategies: str) -> str:
    return "strategies" if path.startswith(f"{strategies}.") else "values"


def _everywhere(kind: str, old: Mapping[str, str], new: Mapping[str, str]) -> list[Row]:
    return [
        Row(kind, EVERYWHERE, path, before, after) for path, before, after in _changes(old, new)
    ]


def _changes(
    old: Mapping[str, str], new: Mapping[str, str]
) -> list[tuple[str, str | None, str | None]]:
    return [
        (path, old.get(path), new.get(path))
        for path in sorted({*old, *new})
        if old.get(path) != new.get(path)
    ]


def _shape(rendered: Rendered) -> dict[str, str]:
    return (
        flat(rendered.processes, "processes")
        | flat(rendered.services, "services")
        | flat(rendered.commands, "commands")
    )


def _listed(migrations: Any) -> dict[str, str]:
    return dict.fromkeys(map(str, migrations), "yes")
