"""Whether enough people, and the right ones, have approved this commit.

Facts: `target`; `commit` (to be merged); `authors` (who wrote its commits); `paths` (touched files);
`strategies` (folders of touched strategies, also by their parameters); `codeowners` (text of
CODEOWNERS of the target); `approvals`, each `{actor, commit, self_approval, teams}` where teams are
the handles the actor speaks for (`@ben`, `@quant-experts`); `local`: on a local installation one
marked self-approval of this commit stands for all.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.model.check import Finding
from pipelines.model.errors import BadInput
from pipelines.model.fields import Fields
from policies import codeowners, strategies

RULE = "reviews"
_KEYS = ("target", "commit", "authors", "paths", "strategies", "codeowners", "approvals", "local")


@dataclass(frozen=True, slots=True)
class Approval:
    actor: str
    commit: str
    self_approval: bool = False
    teams: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    target: str
    commit: str
    authors: tuple[str, ...]
    paths: tuple[str, ...]
    strategies: tuple[str, ...]
    owners: codeowners.CodeOwners
    approvals: tuple[Approval, ...]
    local: bool

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Facts:
        fields = Fields(f"facts of {RULE}", mapping, _KEYS)
        return cls(
            target=fields.text("target"),
            commit=fields.text("commit"),
            authors=fields.texts("authors"),
            paths=fields.texts("paths"),
            strategies=fields.texts("strategies"),
            owners=codeowners.parse(fields.text("codeowners", empty=True)),
            approvals=tuple(map(_approval, fields.items("approvals"))),
            local=fields.boolean("local"),
        )


def _approval(item: Any) -> Approval:
    known = ("actor", "commit", "self_approval", "teams")
    fields = Fields(f"facts of {RULE}", item, known, "approvals")
    return Approval(
        actor=fields.text("actor"),
        commit=fields.text("commit"),
        self_approval=fields.boolean("self_approval") if fields.has("self_approval") else False,
        teams=fields.texts("teams") if fields.has("teams") else (),
    )


@dataclass(frozen=True, slots=True)
class Data:
    """`approvals` by target, `paths` by the beginning of a path: how many people."""

    approvals: Mapping[str, int]
    paths: Mapping[str, int]
    code_owners: bool

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any], file: str) -> Data:
        fields = Fields(file, mapping, ("approvals", "paths", "code_owners"))
        approvals = _counts(fields, "approvals")
        if not approvals:
            raise BadInput(f"{file}: approvals: is empty", hint="write {main: 2, develop: 1}")
        return cls(approvals, _counts(fields, "paths"), fields.boolean("code_owners"))


def _counts(fields: Fields, key: str) -> dict[str, int]:
    named = fields.mapping(key)
    inner = fields.sub(key, named)
    return {name: inner.integer(name, 1, 20) for name in named}


def judge(facts: Facts, data: Data) -> list[Finding]:
    current = [a for a in facts.approvals if a.commit == facts.commit]
    if facts.local and any(a.self_approval for a in current):
        return []
    written = {author.casefold() for author in facts.authors}
    others = [a for a in current if not a.self_approval and a.actor.casefold() not in written]
    found = _enough(facts, data, others)
    if data.code_owners:
        found += _owners(facts, others)
    return found


def _enough(facts: Facts, data: Data, others: list[Approval]) -> list[Finding]:
    needed = data.approvals.get(facts.target, max(data.approvals.values()))
    because = f"merging into {facts.target}"
    for start, count in data.paths.items():
        if count > needed and any(path.startswith(start) for path in facts.paths):
            needed, because = count, f"a change of {start}"
    people = {approval.actor.casefold() for approval in others}
    if len(people) >= needed:
        return []
    words = f"{because} needs {needed} approval{'s' if needed > 1 else ''} of {facts.commit[:12]}"
    left_out = "; ".join(_left_out(facts, others))
    return [
        Finding(
            RULE,
            f"{words}, {len(people)} counted" + (f": {left_out}" if left_out else ""),
            hint="ask somebody who did not write it: slipway approve BRANCH",
        )
    ]


def _left_out(facts: Facts, others: list[Approval]) -> list[str]:
    """Why an approval that is there does not count."""
    found = []
    for approval in facts.approvals:
        if approval.commit != facts.commit:
            found.append(f"{approval.actor} approved the older {approval.commit[:12]}")
        elif approval not in others:
            found.append(f"{approval.actor} may not approve their own change")
    return list(dict.fromkeys(found))


def _owners(facts: Facts, others: list[Approval]) -> list[Finding]:
    """One finding for each set of owners of whom nobody approved."""
    speak = {name for approval in others for name in (f"@{approval.actor}", *approval.teams)}
    expert_files = [f"{strategies.folder(name)}__init__.py" for name in facts.strategies]
    missing: dict[tuple[str, ...], str] = {}
    for path in (*facts.paths, *expert_files):
        owners = facts.owners.of(path)
        if owners and not speak & set(owners):
            missing.setdefault(owners, path)
    return [
        Finding(
            RULE,
            f"{path} is owned by {' or '.join(owners)}, who did not approve {facts.commit[:12]}",
            path=path,
            hint=f"ask {' or '.join(owners)}: slipway approve BRANCH",
        )
        for owners, path in missing.items()
    ]
