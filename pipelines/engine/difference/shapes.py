"""What the comparison must know of types: lists by key, sets, quantities, what emptiness means.

`shapes.json` beside this file holds it for Kubernetes' own kinds. It is written by
`scripts/kubernetes-shapes` from the API's published OpenAPI document (`x-kubernetes-list-type`,
`-list-map-keys`, `-map-type`, patch merge keys, formats) and from the Go types, which alone say
whether the server keeps an explicit empty value (`kept`: pointer fields). What neither says is in
`rules.py`. Other kinds are read by the names of their fields.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
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
    """

    form: Form = Form.PLAIN
    fields: Mapping[str, Shape] = field(default_factory=dict)
    other: Shape | None = None  # of the fields not in `fields`; None: plain
    item: Shape | None = None
    keys: tuple[str, ...] = ()
    members: bool = False
    unordered: bool = False
    whole: bool = False
    kept: frozenset[str] = frozenset()
    defaults: Mapping[str, frozenset[object] | None] = field(default_factory=dict)
    open: bool = False  # a custom resource: nothing is known, names decide

    def of(self, name: str) -> Shape:
        return self.fields.get(name) or self.other or PLAIN

    @property
    def element(self) -> Shape:
        return self.item or (OPEN if self.open else PLAIN)


PLAIN = Shape()
QUANTITY = Shape(Form.QUANTITY)
INT_OR_STRING = Shape(Form.INT_OR_STRING)
JSON = Shape(Form.JSON, whole=True)
SCALARS = {"quantity": QUANTITY, "int-or-string": INT_OR_STRING, "json": JSON}
OPEN = Shape(open=True)
OPEN.other = OPEN
OPEN.fields = {
    **{
        name: Shape(item=OPEN, keys=keys, other=OPEN, open=True, whole=name != "conditions")
        for name, keys in rules.KEYS_BY_NAME.items()
    },
    **{name: Shape(other=QUANTITY) for name in rules.QUANTITIES_BY_NAME},
}


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
        return Shape(item=shape.item, keys=keys, whole=True)
    if (owner, name) in rules.UNORDERED:
        return Shape(item=shape.item, unordered=True)
    return shape


@cache
def shape_of(api_version: str, kind: str) -> Shape:
    """The shape of a kind; a kind that this Kubernetes does not know is read by names."""
    kinds, types = _table()
    number = kinds.get(f"{api_version}/{kind}")
    if number is None:
        metadata = next(shape for shape in types if "ownerReferences" in shape.fields)
        return Shape(fields={**OPEN.fields, "metadata": metadata}, other=OPEN, open=True)
    shape = types[number]
    if (api_version, kind) == ("v1", "Secret"):
        data = Shape(other=Shape(Form.SECRET_BYTES))
        return replace(shape, fields={**shape.fields, "data": data})
    return shape
