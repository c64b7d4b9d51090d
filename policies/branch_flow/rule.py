"""Whether a branch may be merged into another, and whether a push may be taken.

Facts of a merge: `action: merge`, `branch`, `target`. Of a push: `action: push`, `branch`; `deleted`
and `rewritten` (not a fast-forward) where so; `identity: slipway` for Slipway's own. Both may say
`starts_from`: of main and develop, those that contain the commit where the branch left them both
(empty: their histories never met). A caller that cannot know leaves it out, and it is not judged.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.model.check import Finding
from pipelines.model.errors import BadInput
from pipelines.model.fields import Fields
from policies import patterns

RULE = "branch_flow"
_KEYS = ("action", "branch", "target", "deleted", "rewritten", "identity", "starts_from")


@dataclass(frozen=True, slots=True)
class Facts:
    action: str
    branch: str
    target: str = ""
    deleted: bool = False
    rewritten: bool = False
    identity: str = "person"
    starts_from: tuple[str, ...] | None = None

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Facts:
        fields = Fields(f"facts of {RULE}", mapping, _KEYS)
        action = fields.choice("action", ("merge", "push"))
        people = ("person", "slipway")
        return cls(
            action=action,
            branch=fields.text("branch"),
            target=fields.text("target") if action == "merge" else "",
            deleted=fields.boolean("deleted") if fields.has("deleted") else False,
            rewritten=fields.boolean("rewritten") if fields.has("rewritten") else False,
            identity=fields.choice("identity", people) if fields.has("identity") else "person",
            starts_from=fields.texts("starts_from") if fields.has("starts_from") else None,
        )


@dataclass(frozen=True, slots=True)
class Data:
    """Everything is a pattern of branch names; `merges` and `starts` map one to several."""

    merges: Mapping[str, tuple[str, ...]]
    protected: tuple[str, ...]
    history: tuple[str, ...]
    kept: tuple[str, ...]
    starts: Mapping[str, tuple[str, ...]]

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any], file: str) -> Data:
        fields = Fields(file, mapping, ("merges", "protected", "history", "kept", "starts"))
        return cls(
            merges=_map(fields, "merges"),
            protected=patterns.read(fields, "protected"),
            history=patterns.read(fields, "history"),
            kept=patterns.read(fields, "kept"),
            starts=_map(fields, "starts"),
        )


def _map(fields: Fields, key: str) -> dict[str, tuple[str, ...]]:
    named = fields.mapping(key)
    if not named:
        raise BadInput(f"{fields.file}: {key}: is empty", hint="write `branch: [branches]` lines")
    inner = fields.sub(key, named)
    found = {name: patterns.read(inner, name) for name in named}
    for name, branches in found.items():
        if not branches:
            hint = "name a branch, or take the line out"
            raise BadInput(f"{fields.file}: {key}.{name}: is empty", hint=hint)
    return found


def judge(facts: Facts, data: Data) -> list[Finding]:
    """A push: what is wrong with it and what to type instead. A merge: whether it may be."""
    words = _merge(facts, data) if facts.action == "merge" else _push(facts, data)
    if not words and not facts.deleted:
        words = _start(facts, data)
    return [Finding(RULE, words[0], hint=words[1])] if words else []


def _merge(facts: Facts, data: Data) -> tuple[str, str] | None:
    if facts.branch == facts.target:
        return None  # the branch itself is looked at, nothing is merged
    origins = data.merges.get(facts.target)
    if origins is None:
        return (
            f"{facts.branch} into {facts.target}: nothing is merged into {facts.target}",
            f"branches are merged into {', '.join(data.merges)}",
        )
    if patterns.first_match(origins, facts.branch):
        return None
    others = [t for t, names in data.merges.items() if patterns.first_match(names, facts.branch)]
    return (
        f"{facts.branch} into {facts.target}: it takes only {', '.join(origins)}",
        f"{facts.branch} goes to {others[0]}: slipway merge {facts.branch}"
        if others
        else "begin a branch that may: git switch -c feature/NAME slipway/develop",
    )


def _push(facts: Facts, data: Data) -> tuple[str, str] | None:
    name = facts.branch
    if patterns.first_match(data.protected, name) and facts.identity != "slipway":
        return f"nobody pushes to {name}", _instead_of_pushing(name)
    if facts.deleted and patterns.first_match(data.kept, name):
        return f"{name} is kept for good; it was not deleted", "leave it where it is"
    if facts.rewritten and patterns.first_match(data.history, name):
        return (
            f"the push would rewrite the history of {name}",
            f"git merge slipway/{name} and push again, or push under a new name:"
            f" git push slipway HEAD:refs/heads/{name}-2",
        )
    return None


def _instead_of_pushing(name: str) -> str:
    if name.startswith("env/"):
        return f"slipway promote {name.removeprefix('env/')}"
    if name.startswith("release/"):
        return (
            "slipway promote staging cuts the version of what is on develop;"
            " your own work: git push slipway HEAD:refs/heads/feature/NAME"
        )
    if name == "main":
        return (
            "slipway promote production brings a release to main;"
            " in a hurry: git push slipway HEAD:refs/heads/hotfix/NAME"
        )
    return "git push slipway HEAD:refs/heads/feature/NAME, then slipway merge feature/NAME"


def _start(facts: Facts, data: Data) -> tuple[str, str] | None:
    if facts.starts_from is None:
        return None
    pattern = patterns.first_match(data.starts, facts.branch)
    if pattern is None or any(
        patterns.first_match(data.starts[pattern], start) for start in facts.starts_from
    ):
        return None
    wanted = data.starts[pattern]
    where = ", ".join(facts.starts_from) or "a history that never met them"
    return (
        f"{facts.branch} starts from {where}; it must start from {' or '.join(wanted)}",
        f"git switch -c {facts.branch}-2 slipway/{wanted[0]} && git cherry-pick COMMITS",
    )
