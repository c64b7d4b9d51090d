"""Changes as lines of text. What secrets hold is never printed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from pipelines.engine.difference.pointer import child, split
from pipelines.model.resource import Manifest
from pipelines.model.sync import FieldChange

HIDDEN = "(hidden)"
LONGEST = 60  # characters of a value; what is longer ends in "…"


def lines(found: Iterable[FieldChange], manifest: Manifest, *, width: int = LONGEST) -> list[str]:
    """`~ spec.replicas: 5 → 2  (kubectl-edit, 2026-01-31T12:00:00Z)`; `+` appears, `-` goes.

    `manifest` is live or, where there is none, desired: it names elements of lists, and says
    whether values are secret.
    """
    secret = manifest.get("kind") == "Secret"
    return [_line(change, manifest, secret=secret, width=width) for change in found]


def _line(change: FieldChange, manifest: Manifest, *, secret: bool, width: int) -> str:
    shown = masked(change) if secret else change
    path = readable(change.path, manifest)
    if shown.new is None:
        line = f"- {path}: {_value(shown.old, width)}"
    elif shown.old is None:
        line = f"+ {path}: {_value(shown.new, width)}"
    else:
        line = f"~ {path}: {_value(shown.old, width)} → {_value(shown.new, width)}"
    if change.immutable:
        line += "  (cannot be changed, only replaced)"
    owner = ", ".join(filter(None, (change.manager, change.since)))
    return f"{line}  ({owner})" if owner else line


def masked(change: FieldChange) -> FieldChange:
    """A change of a Secret without its values: that something changed is no secret."""
    steps = split(change.path)
    if not steps or steps[0] not in ("data", "stringData"):
        return change
    old, new = (_hidden(value) for value in (change.old, change.new))
    return replace(change, old=old, new=new)


def _hidden(value: Any) -> Any:
    if isinstance(value, dict):
        return dict.fromkeys(value, HIDDEN)
    return None if value is None else HIDDEN


def readable(pointer: str, manifest: Manifest) -> str:
    """`spec.containers[web].image` for `/spec/containers/0/image`; names with dots are quoted."""
    text = ""
    value: Any = manifest
    for step in split(pointer):
        below = child(value, step)
        if isinstance(value, list) or step == "-":
            text += f"[{_name(below, step)}]"
        elif step.replace("_", "").replace("-", "").isalnum():
            text += f".{step}" if text else step
        else:
            text += f'["{step}"]'
        value = below
    return text


def _name(element: Any, step: str) -> str:
    if step == "-":
        return "+"
    name = child(element, "name")
    return name if isinstance(name, str) else step


def _value(value: Any, width: int) -> str:
    text = value if isinstance(value, str) and value else json.dumps(value, ensure_ascii=False)
    text = " ".join(text.split()) if "\n" in text else text
    return text if len(text) <= width else text[: width - 1] + "…"
