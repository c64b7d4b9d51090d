"""Proven statements as the rule reads them, and which of them count."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipelines.model.fields import Fields
from policies.moments import moment

_KEYS = ("predicate_type", "predicate", "role", "signer", "at", "release", "source")
_OTHERS = ("sequence", "previous")  # of `Statement`: already looked at by who proved it


@dataclass(frozen=True, slots=True)
class Said:
    """One statement. `own_source`: it is about the source that the release was made from."""

    predicate_type: str
    predicate: Mapping[str, Any]
    role: str
    signer: str
    at: datetime
    release: str
    own_source: bool


def read_statements(items: Sequence[Any], source: str) -> tuple[Said, ...]:
    """In the given order. BadInput when one is not what a statement is."""
    found = []
    for position, item in enumerate(items):
        where = f"statements[{position}]"
        fields = Fields("facts of promotion", item, (*_KEYS, *_OTHERS), where)
        found.append(
            Said(
                predicate_type=fields.text("predicate_type"),
                predicate=fields.mapping("predicate"),
                role=fields.text("role"),
                signer=fields.text("signer", empty=True),
                at=moment(fields.text("at"), f"facts: {where}.at"),
                release=fields.text("release", empty=True) if fields.has("release") else "",
                own_source=not fields.has("source") or fields.raw("source") == source,
            )
        )
    return tuple(found)


def about(statements: Iterable[Said], predicate_type: str, **wanted: object) -> list[Said]:
    """Those of a type whose predicate has these values, whoever said them; newest last."""
    return [
        said
        for said in statements
        if said.predicate_type == predicate_type
        and all(said.predicate.get(key) == value for key, value in wanted.items())
    ]
