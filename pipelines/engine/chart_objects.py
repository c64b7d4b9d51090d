"""Rendered manifests as objects, and what differs between two sets, for people. Pure."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping
from typing import Any

import yaml

from pipelines.engine.sync.manifests import read_documents, refuse_twins
from pipelines.model.resource import Manifest, Resource

_SOURCE = re.compile(r"^---\n# Source: (\S+)\n", re.MULTILINE)
HIDDEN = "********"
_SECRET_PARTS = ("data", "stringData")


def objects(files: Mapping[str, str]) -> list[Resource]:
    """Every object of some files (path → text). Raises BadInput: what is no object, or is there
    twice, in one file or in two."""
    found = [one for path, text in files.items() for one in read_documents(text, path)]
    refuse_twins(found)
    return found


def sourced(text: str) -> list[Resource]:
    """Objects of one rendering; the origin of each begins with its template, `charts/…: `. Errors
    as `objects`."""
    parts = _SOURCE.split(text)  # what comes before the first, then path and text in turn
    found = [
        one
        for path, part in zip(parts[1::2], parts[2::2], strict=True)
        for one in read_documents(part, f"charts/{path}")
    ]
    refuse_twins(found)
    return found


def title(resource: Resource) -> str:
    """As people say it: `Deployment trading-blue-api`."""
    name = resource.name or f"{resource.metadata.get('generateName')}*"
    return f"{resource.kind} {name}"


def holds_secret(resource: Resource) -> bool:
    """A Secret with something in it. What lies on a branch is read by everybody who may clone."""
    return (
        resource.kind == "Secret"
        and not resource.group
        and any(resource.manifest.get(part) for part in _SECRET_PARTS)
    )


def hidden(manifest: Manifest, other: Manifest | None = None) -> dict[str, Any]:
    """The manifest with the values of a Secret hidden; one that `other` has differently says so."""
    if manifest.get("kind") != "Secret":
        return dict(manifest)
    masked = dict(manifest)
    for part in _SECRET_PARTS:
        values = manifest.get(part)
        if isinstance(values, Mapping):
            masked[part] = {
                key: HIDDEN + ("" if _same(other, part, key, value) else " (changed)")
                for key, value in values.items()
            }
    return masked


def _same(other: Manifest | None, part: str, key: str, value: Any) -> bool:
    before = other.get(part) if other is not None else None
    return not isinstance(before, Mapping) or key not in before or before[key] == value


def text_difference(
    old: Iterable[Resource], new: Iterable[Resource], names: tuple[str, str]
) -> str:
    """Unified differences object by object, in order of kind and name; empty when nothing
    differs. Keys are sorted, so that only what is said counts."""
    before, after = _named(old), _named(new)
    parts: list[str] = []
    for group, name in sorted({*before, *after}, key=lambda key: (key[1], key[0])):
        was, now = before.get((group, name)), after.get((group, name))
        parts += difflib.unified_diff(
            _lines(was), _lines(now, was),
            f"{names[0]}: {name}" if was else "/dev/null",
            f"{names[1]}: {name}" if now else "/dev/null",
        )  # fmt: skip
    return "".join(parts)


def _named(resources: Iterable[Resource]) -> dict[tuple[str, str], Resource]:
    return {(resource.group, title(resource)): resource for resource in resources}


def _lines(resource: Resource | None, other: Resource | None = None) -> list[str]:
    if resource is None:
        return []
    manifest = hidden(resource.manifest, other.manifest if other else None)
    return as_yaml(manifest).splitlines(keepends=True)


def as_yaml(value: Any) -> str:
    return yaml.dump(value, Dumper=_dumper(), sort_keys=True, width=100, allow_unicode=True)


def _dumper() -> Any:
    return getattr(yaml, "CSafeDumper", yaml.SafeDumper)
