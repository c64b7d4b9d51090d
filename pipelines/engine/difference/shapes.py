"""What the comparison must know of types: lists by key, sets, quantities, what emptiness means.

`shapes.json` beside this file holds it for Kubernetes' own kinds. It is written by
`scripts/kubernetes-shapes` from the API's published OpenAPI document (`x-kubernetes-list-type`,
`-list-map-keys`, `-map-type`, patch merge keys, formats) and from the Go types, which alone say
whether the server keeps an explicit empty value (`kept`: pointer fields). What neither says is in
`rules.py`. Other kinds are read by the names of their fields.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import cache
from pathlib import Path
from typing import Any

from pipelines.engine.difference import rules

TABLE = Path(__file__).with_name("shapes.json")


class Form(Enum):
    PLAIN = "plain"
    QUANTITY = "quantity"
    INT_OR_STRING = "int-or-string"
    JSON = "json"
    SECRET_BYTES = "secret-bytes"  # noqa: S105 - base64 text; not-a-secret: the name of a form


@dataclass(eq=False)
class Shape:
    """One type, or one field's type. Identity counts: types refer to themselves.

    `keys`: elements of the list are named by these fields. `members`: a set that others add to.
    `unordered`: a list that is one's own, whose order means nothing. `whole`: what live has and
    desired lacks is a difference. `kept`: fields whose empty value the server stores, so that
    empty and absent are two things. `defaults`: what the server puts where a field is empty.
    `atomic`: a list that is applied as a whole, though its elements have names or it is of a
    custom resource; see `replaced`. `filled`: a map that the server adds to, wherever it is.
    """

    form: Form = Form.PLAIN
    fields: Mapping[str, Shape] = field(default_factory=dict)
    other: Shape | None = None  # of the fields not in `fields`: a map; None: plain
    item: Shape | None = None
    keys: tuple[str, ...] = ()
    members: bool = False
    unordered: bool = False
    whole: bool = False
    kept: frozenset[str] = frozenset()
    defaults: Mapping[str, Collection[object] | None] = field(default_factory=dict)
    open: bool = False  # a custom resource: nothing is known, names decide
    atomic: bool = False
    filled: bool = False

    def of(self, name: str) -> Shape:
        return self.fields.get(name) or self.other or PLAIN

    def keeps(self, name: str) -> bool:
        """Whether the server stores this field though it is empty. A map keeps each key it has."""
        if name in self.kept:
            return True
        return self.other is not None and not self.open and name not in self.fields

    @property
    def element(self) -> Shape:
        return self.item or (self.other or opened() if self.open else PLAIN)

    @property
    def replaced(self) -> bool:
        """Whether to apply the list takes away what its elements had besides: the API's lists
        without keys that are no sets. Of a custom resource only the record tells."""
        return self.atomic or not (self.open or self.keys or self.members)


PLAIN = Shape()
QUANTITY = Shape(Form.QUANTITY)
INT_OR_STRING = Shape(Form.INT_OR_STRING)
JSON = Shape(Form.JSON, whole=True)
SCALARS = {"quantity": QUANTITY, "int-or-string": INT_OR_STRING, "json": JSON}


@cache
def opened(group: str = "") -> Shape:
    """What is under a custom resource: names decide, at any depth."""
    known = rules.CUSTOM_DEFAULTS.get(group, {})
    shape = Shape(open=True, defaults=known)
    shape.other = shape
    shape.fields = {
        **{
            name: Shape(item=shape, keys=keys, other=shape, open=True, whole=name != "conditions")
            for name, keys in rules.KEYS_BY_NAME.items()
        },
        **{name: Shape(other=QUANTITY) for name in rules.QUANTITIES_BY_NAME},
    }
    return shape


@cache
def _table() -> tuple[Mapping[str, int], list[Shape]]:
    read = json.loads(TABLE.read_text(encoding="utf-8"))
    types = [Shape() for _ in read["types"]]
    for shape, entry in zip(types, read["types"], strict=True):
        name = entry["name"]
        shape.fields = {
            key: _curated(name, key, _shape(value, types))
            for key, value in entry.get("fields", {}).items()
        } | {
            key: _curated(name, key, Shape())
            for owner, key in rules.EXTRA
            if owner == name and key not in entry.get("fields", {})
        }
        shape.kept = frozenset(entry.get("kept", ()))
        shape.whole = name in rules.WHOLE
        shape.defaults = {key: at for (owner, key), at in rules.DEFAULTS.items() if owner == name}
    return read["kinds"], types


def _shape(value: Any, types: list[Shape]) -> Shape:
    if value is None:
        return PLAIN
    if isinstance(value, str):
        return SCALARS[value]
    if "type" in value:
        number: int = value["type"]
        return types[number]
    if "map" in value:
        return Shape(other=_shape(value["map"], types), whole=value.get("whole", False))
    return Shape(
        item=_shape(value["list"], types),
        keys=tuple(value.get("keys", ())),
        members=value.get("set", False),
    )


def _curated(owner: str, name: str, shape: Shape) -> Shape:
    if (owner, name) in rules.WHOLE_MAPS:
        return Shape(other=shape.other, whole=True)
    if keys := rules.KEYS.get((owner, name)):
        return Shape(item=shape.item, keys=keys, whole=True, atomic=True)
    if (owner, name) in rules.UNORDERED:
        return Shape(item=shape.item, unordered=True)
    if rules.DEFAULTS.get((owner, name), ()) is None:
        return replace(shape, filled=True)
    return shape


@cache
def shape_of(api_version: str, kind: str) -> Shape:
    """The shape of a kind; a kind that this Kubernetes does not know is read by names."""
    kinds, types = _table()
    number = kinds.get(f"{api_version}/{kind}")
    if number is None:
        metadata = next(shape for shape in types if "ownerReferences" in shape.fields)
        group = api_version.rpartition("/")[0]
        inner = opened(group if group in rules.CUSTOM_DEFAULTS else "")
        return Shape(fields={**inner.fields, "metadata": metadata}, other=inner, open=True)
    shape = types[number]
    if (api_version, kind) == ("v1", "Secret"):
        data = Shape(other=Shape(Form.SECRET_BYTES))
        return replace(shape, fields={**shape.fields, "data": data})
    return shape
