"""Which strategies a change lets examine, with which settings: plain facts of its trees."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.model import yaml_strict
from pipelines.model.check import Change, Tree
from pipelines.model.values import merge
from pipelines.stages.values_changes import values_changes
from policies import strategies

CODE = "app/trading/"
DECIDES = (
    *(f"{CODE}{part}" for part in ("backtest/", "market_data/", "orders/", "risk/", "venues/")),
    *(f"{CODE}{part}" for part in ("examination/", "strategies/", "values.py", "cli/examine.py")),
    "app/requirements.lock",
    "app/slipway.yaml",
)
"""What can change the answer of an examination. Elsewhere in app/ nothing trades."""
POLICY = "policies/risk/policy.yaml"
BASE = "environments/base/values.yaml"
_PART, _INSTANCES, _COSTS = "trading", "strategies", "costs"


@dataclass(frozen=True, slots=True)
class Settings:
    """A part of the values that an examination needs: one instance and the costs."""

    instance: str
    values: Mapping[str, Any]

    @property
    def text(self) -> str:
        return json.dumps(self.values, sort_keys=True)


@dataclass(frozen=True, slots=True)
class Target:
    """One examination. `environments` share these settings; `before` are those of the base, None
    where the instance is new. `instance` is empty for a plug-in that nobody runs."""

    plugin: str
    environments: tuple[str, ...]
    settings: Settings
    before: Settings | None

    @property
    def instance(self) -> str:
        return self.settings.instance

    @property
    def name(self) -> str:
        return self.instance or self.plugin.replace("_", "-")


def touched(change: Change) -> bool:
    """Whether anything of this change is examined. Raises BadInput for values that are none."""
    return change.touches(*DECIDES, POLICY) or bool(_plugins_of_values(change) or _costs(change))


def whole_package(change: Change) -> bool:
    """Code of the application beside single strategies changed: then it runs as a whole."""
    return any(
        path.startswith(CODE) and path.endswith(".py") and not strategies.of_path(path)
        for file in change.files
        for path in file.paths
    )


def targets(change: Change) -> tuple[Target, ...]:
    """In the order of plug-ins and instances. Raises BadInput for values that are none."""
    plugins = _plugins(change)
    found: dict[tuple[str, str], Target] = {}
    for environment in _environments(change.head):
        values = _values(change.head, environment)
        before = _instances(_values(change.base, environment))
        for name, settings in _instances(values).items():
            plugin = str(settings.get("plugin", ""))
            if plugin in plugins:
                target = _target(plugin, name, environment, values, before.get(name), change)
                key = (name, target.settings.text)
                known = found.get(key)
                both = (*known.environments, environment) if known else (environment,)
                found[key] = Target(plugin, both, target.settings, target.before)
    idle = plugins - {target.plugin for target in found.values()}
    base_values = _values(change.head, "base")
    nobody = (Target(plugin, (), _settings("", base_values), None) for plugin in idle)
    return tuple(sorted((*found.values(), *nobody), key=lambda t: (t.plugin, t.instance)))


def _target(
    plugin: str,
    name: str,
    environment: str,
    values: Mapping[str, Any],
    before: Mapping[str, Any] | None,
    change: Change,
) -> Target:
    old = None
    if before is not None and before.get("plugin") == plugin:
        old = _settings(name, _values(change.base, environment))
    return Target(plugin, (environment,), _settings(name, values), old)


def _settings(name: str, values: Mapping[str, Any]) -> Settings:
    """Only what an examination asks: an older judge knows no newer settings."""
    part = values.get(_PART)
    part = part if isinstance(part, Mapping) else {}
    kept: dict[str, Any] = {key: part[key] for key in (_COSTS,) if key in part}
    if name:
        kept[_INSTANCES] = {name: _instances(values)[name]}
    return Settings(name, {_PART: kept})


def _plugins(change: Change) -> set[str]:
    """Of head: the touched ones, or all when what they share changed."""
    there = {path.parent.name for path in _folder(change.head).glob("*/__init__.py")}
    shared = change.everything or whole_package(change) or _costs(change)
    others = change.touches(POLICY, *(d for d in DECIDES if d != strategies.CODE))
    if shared or others:
        return there
    paths = (path for file in change.files for path in file.paths)
    return there & set(strategies.touched(paths, _plugins_of_values(change)))


def _folder(tree: Tree) -> Path:
    return tree.folder / strategies.CODE


def _plugins_of_values(change: Change) -> set[str]:
    return {name for c in values_changes(change) for name in (c.before, c.after) if name}


def _costs(change: Change) -> bool:
    return any(c.key.startswith(f"{_PART}.{_COSTS}") for c in values_changes(change))


def _environments(tree: Tree) -> Iterator[str]:
    for path in sorted((tree.folder / "environments").glob("*/values.yaml")):
        if path.parent.name != "base":
            yield path.parent.name


def _values(tree: Tree, environment: str) -> Mapping[str, Any]:
    merged: dict[str, Any] = {}
    for name in dict.fromkeys(("base", environment)):
        file = f"environments/{name}/values.yaml"
        text = tree.text(file)
        if text is not None:
            merged = merge(merged, yaml_strict.load_mapping(text, file), file)
    return merged


def _instances(values: Mapping[str, Any]) -> dict[str, Mapping[str, Any]]:
    part = values.get(_PART)
    found = part.get(_INSTANCES) if isinstance(part, Mapping) else None
    if not isinstance(found, Mapping):
        return {}
    return {
        str(n): s for n, s in found.items() if isinstance(s, Mapping) and s.get("enabled", True)
    }
