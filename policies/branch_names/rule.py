"""A branch name is one of the model's, or the refusal says what is wrong and a better one.

Facts: `name`; `identity`: `person` (default) or `slipway`, who alone may use `env/*`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.model.check import Finding
from pipelines.model.errors import BadInput
from pipelines.model.fields import Fields
from policies.branch_names import faults
from policies.branch_names.proposal import propose

RULE = "branch_names"
_START = re.compile(r"[a-z]+(/[a-z0-9-]*)?", re.ASCII)


@dataclass(frozen=True, slots=True)
class Facts:
    name: str
    identity: str = "person"

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Facts:
        fields = Fields(f"facts of {RULE}", mapping, ("name", "identity"))
        known = ("person", "slipway")
        identity = fields.choice("identity", known) if fields.has("identity") else "person"
        return cls(fields.text("name", empty=True), identity)


@dataclass(frozen=True, slots=True)
class Data:
    """`max_length` is in characters of the whole name."""

    names: tuple[str, ...]
    prefixes: tuple[str, ...]
    versions: tuple[str, ...]
    machine: tuple[str, ...]
    max_length: int

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any], file: str) -> Data:
        lists = ("names", "prefixes", "versions", "machine")
        fields = Fields(file, mapping, (*lists, "max_length"))
        for key in lists:
            for value in fields.texts(key):
                if not _START.match(value):
                    raise BadInput(
                        f"{file}: {key}: {value!r:.60} is no beginning of a branch name",
                        hint="write lower-case letters, such as feature/",
                    )
        return cls(
            names=fields.texts("names"),
            prefixes=fields.texts("prefixes"),
            versions=fields.texts("versions"),
            machine=fields.texts("machine"),
            max_length=fields.integer("max_length", 10, 200),
        )


def judge(facts: Facts, data: Data) -> list[Finding]:
    """At most one finding: the first thing that is wrong, and a name that would do."""
    if facts.name in data.machine:
        return [] if facts.identity == "slipway" else [_machine(facts.name)]
    reason = _reason(facts.name, data)
    if not reason:
        return []
    better = propose(facts.name, data.prefixes, data.versions, data.max_length)
    return [
        Finding(RULE, f"branch name {faults.shown(facts.name)}: {reason}", hint=f"call it {better}")
    ]


def _machine(name: str) -> Finding:
    environment = name.partition("/")[2]
    return Finding(
        RULE,
        f"branch name '{name}': only Slipway writes it",
        hint=f"slipway promote {environment}; a branch of your own: feature/{name.replace('/', '-')}",
    )


def _reason(name: str, data: Data) -> str:
    """Empty when the name is fine."""
    if name in data.prefixes:
        return f"nothing follows {name}"
    reason = faults.of_any_name(name, data.max_length)
    if reason or name in data.names:
        return reason
    for prefix in sorted(data.versions, key=len, reverse=True):
        if name.startswith(prefix):
            return faults.of_version(name.removeprefix(prefix), prefix)
    for prefix in sorted(data.prefixes, key=len, reverse=True):
        if name.startswith(prefix):
            return faults.of_rest(name.removeprefix(prefix), prefix)
    for prefix in data.versions:
        if name.startswith(prefix.split("/")[0] + "/"):
            return f"after {prefix.split('/')[0]}/ comes a version, as in {prefix}1.4.0"
    known = ", ".join((*data.names, *data.prefixes, *(f"{v}X.Y.Z" for v in data.versions)))
    return f"it begins with nothing the branch model knows ({known})"
