"""Reads mappings into dataclasses: every field said, none unknown, each of its type."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from typing import Any, TypeVar

from infra.errors import refuse

T = TypeVar("T")
_WORDS = {int: "write a whole number, the unit is in its name", bool: "write true or false"}


def read(shape: type[T], found: Any, where: str) -> T:
    """A `shape` of plain fields from a mapping. SettingsError for the first thing that is wrong."""
    known = keys(shape, found, where)
    for name, kind in known.items():
        if name in found:
            plain(found[name], kind, f"{where}.{name}")
    return shape(**found)


def keys(shape: type[Any], found: Any, where: str) -> dict[str, type]:
    """Fields of `shape` with their types, after `found` was seen to have no others and all that
    have no default."""
    if not isinstance(found, Mapping):
        refuse(f"{where} is {found!r}", "write a mapping, docs/infra.md shows one")
    known = {field.name: field for field in fields(shape)}
    for key in sorted(map(str, set(found) - set(known))):
        refuse(f"unknown key '{key}' in {where}", f"known are {', '.join(sorted(known))}")
    for key in sorted(set(known) - set(found)):
        if known[key].default is MISSING:
            refuse(f"{where} says no '{key}'", "every setting is said, none has a default")
    types = {"int": int, "str": str, "bool": bool}
    return {name: types.get(str(field.type), object) for name, field in known.items()}


def plain(value: object, kind: type, where: str) -> None:
    """SettingsError unless the value is of its type: no negative number, no empty text."""
    if kind is object:
        return
    empty = isinstance(value, str) and not value.strip()
    negative = isinstance(value, int) and value < 0
    if type(value) is not kind or empty or negative:
        refuse(f"{where} is {value!r}", _WORDS.get(kind, "write a name"))
