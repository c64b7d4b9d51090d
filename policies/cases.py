"""`cases.yaml` of a room: facts that must pass and facts that must be refused, by name.

`base` are facts that every case has unless it says otherwise. An item `$name` of a list stands for
what `shared` says under that name; a list there is spliced in.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.model import yaml_strict
from pipelines.model.check import Finding
from pipelines.model.errors import BadInput
from pipelines.model.fields import Fields
from policies import rooms
from policies.policy import SEVERITIES

_KEYS = ("name", "facts", "expect", "data")


@dataclass(frozen=True, slots=True)
class Case:
    """`expect`: words that the refusal (or, of a good case, its note) must contain. `data` is laid
    over the policy's data, for what the shipped data leave out."""

    rule: str
    name: str
    good: bool
    facts: Mapping[str, Any]
    expect: str = ""
    data: Mapping[str, Any] | None = None


def parse(rule: str, text: str) -> list[Case]:
    """Good ones first. Raises BadInput; a room without a bad case is one that refuses nothing."""
    file = f"policies/{rule}/cases.yaml"
    fields = Fields(file, yaml_strict.load(text, file), ("base", "shared", "good", "bad"))
    base = fields.mapping("base") if fields.has("base") else {}
    shared = fields.mapping("shared") if fields.has("shared") else {}
    found = [
        _case(rule, Fields(file, item, _KEYS, f"{kind}[{position}]"), kind == "good", base, shared)
        for kind in ("good", "bad")
        for position, item in enumerate(fields.items(kind))
    ]
    if len({case.good for case in found}) != 2:
        raise BadInput(f"{file}: needs good and bad cases", hint="add the kind that is missing")
    names = [case.name for case in found]
    if double := next((name for name in names if names.count(name) > 1), None):
        raise BadInput(f"{file}: case {double!r} is there twice", hint="give each its own name")
    return found


def _case(
    rule: str, fields: Fields, good: bool, base: Mapping[str, Any], shared: Mapping[str, Any]
) -> Case:
    facts = {**base, **fields.mapping("facts")}
    return Case(
        rule=rule,
        name=fields.text("name"),
        good=good,
        facts={key: _expand(value, shared, fields.file) for key, value in facts.items()},
        expect=fields.text("expect") if not good or fields.has("expect") else "",
        data=fields.mapping("data") if fields.has("data") else None,
    )


def _expand(value: Any, shared: Mapping[str, Any], file: str) -> Any:
    if not isinstance(value, list):
        return value
    found: list[Any] = []
    for item in value:
        if not (isinstance(item, str) and item.startswith("$")):
            found.append(item)
        elif item[1:] in shared:
            stands_for = _expand(shared[item[1:]], shared, file)
            found += stands_for if isinstance(stands_for, list) else [stands_for]
        else:
            raise BadInput(f"{file}: {item!r} is not in `shared`", hint=f"known: {list(shared)}")
    return found


def complaint(case: Case, data: Mapping[str, Any]) -> str:
    """Empty when the case comes out as it says under these data; else what came out instead."""
    try:
        found = rooms.judge(case.rule, case.facts, {**data, **(case.data or {})})
    except BadInput as error:
        return f"could not be judged: {error.message}"
    counts = SEVERITIES[: SEVERITIES.index(data.get(rooms.SEVERITY, "error")) + 1]
    refusals = [f for f in found if f.severity in counts]
    if case.good:
        if refusals:
            return f"is refused: {refusals[0].message}"
        return "" if _says(found, case.expect) else f"nothing says {case.expect!r}"
    if not refusals:
        return "is not refused"
    if not _says(refusals, case.expect):
        return f"is refused for another reason: {refusals[0].message}"
    return ""


def _says(findings: list[Finding], words: str) -> bool:
    return not words or any(words in f"{f.message} {f.hint}" for f in findings)
