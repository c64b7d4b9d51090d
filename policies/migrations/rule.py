"""Whether a migration script lets the release before work on, and can be taken back.

Facts: `revision`, `down_revision` (None for the first), `kind` (expand or contract), `transactional`,
`up` and `down` (lists of SQL texts), `both_kinds` (the same change brings expand and contract
scripts), `known` (revisions before this one, in the order of the chain).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.model.check import Finding
from pipelines.model.errors import BadInput
from pipelines.model.fields import Fields
from policies.migrations.sql import Unreadable, statements
from policies.migrations.statements import HARMS, created, harms

RULE = "migrations"
_KEYS = (
    *("revision", "down_revision", "kind", "transactional", "up", "down", "both_kinds", "known"),
)


@dataclass(frozen=True, slots=True)
class Facts:
    revision: str
    down_revision: str | None
    kind: str
    transactional: bool
    up: tuple[str, ...]
    down: tuple[str, ...]
    both_kinds: bool
    known: tuple[str, ...]

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Facts:
        fields = Fields(f"facts of {RULE}", mapping, _KEYS)
        first = fields.raw("down_revision") is None
        return cls(
            revision=fields.text("revision"),
            down_revision=None if first else fields.text("down_revision"),
            kind=fields.text("kind", empty=True),
            transactional=fields.boolean("transactional"),
            up=fields.texts("up"),
            down=fields.texts("down"),
            both_kinds=fields.boolean("both_kinds"),
            known=fields.texts("known"),
        )


@dataclass(frozen=True, slots=True)
class Data:
    """`refuses`: kinds of harm by kind of script. The last two are for the rehearsal: rows of a
    generated copy, and how long a request of the release before may wait meanwhile."""

    refuses: Mapping[str, tuple[str, ...]]
    contract_alone: bool
    down_required: bool
    rehearsal_rows: int
    longest_stall_seconds: float

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any], file: str) -> Data:
        keys = (
            *("expand_refuses", "contract_refuses", "contract_alone", "down_required"),
            *("rehearsal_rows", "longest_stall_seconds"),
        )
        fields = Fields(file, mapping, keys)
        for key in keys[:2]:
            if unknown := [harm for harm in fields.texts(key) if harm not in HARMS]:
                raise BadInput(
                    f"{file}: {key}: {unknown[0]!r:.60} is nothing a statement does",
                    hint=f"known: {', '.join(HARMS)}",
                )
        return cls(
            refuses={
                "expand": fields.texts("expand_refuses"),
                "contract": fields.texts("contract_refuses"),
            },
            contract_alone=fields.boolean("contract_alone"),
            down_required=fields.boolean("down_required"),
            rehearsal_rows=fields.integer("rehearsal_rows", 1_000, 20_000_000),
            longest_stall_seconds=fields.number("longest_stall_seconds", 0.01, 10.0),
        )


def judge(facts: Facts, data: Data) -> list[Finding]:
    if facts.kind not in data.refuses:
        words = f"kind {facts.kind!r:.40} is none"
        return [_finding(facts, "kind", words, 'kind = "expand" or kind = "contract"')]
    found = [*_chain(facts), *_statements(facts, data)]
    if facts.both_kinds and data.contract_alone:
        words = "the change brings expand and contract migrations"
        found.append(_finding(facts, "contract", words, "contract in a release of its own"))
    if data.down_required and not _says_something(facts.down):
        words = "has no way down, so it could not be undone when the release fails on it"
        found.append(_finding(facts, "down", words, "write DOWN"))
    return found


def _finding(facts: Facts, code: str, words: str, hint: str) -> Finding:
    return Finding(f"{RULE}/{code}", f"{facts.revision}: {words}", hint=hint)


def _chain(facts: Facts) -> list[Finding]:
    last = facts.known[-1] if facts.known else None
    if facts.revision in facts.known:
        words, hint = "is there already", "give it the next number"
    elif facts.down_revision != last:
        words = f"follows {facts.down_revision}, but the chain ends with {last}"
        hint = f"down_revision = {last!r}"
    else:
        return []
    return [_finding(facts, "chain", words, hint)]


def _statements(facts: Facts, data: Data) -> list[Finding]:
    try:
        up = [statement for text in facts.up for statement in statements(text)]
    except Unreadable as error:
        return [_finding(facts, "unreadable", f"cannot be read: {error}", "correct the SQL")]
    if not up:
        return [_finding(facts, "empty", "does nothing", "write UP, or leave the script out")]
    new, refused = created(up), data.refuses[facts.kind]
    found = [
        _finding(facts, harm.kind, harm.words, harm.hint)
        for statement in up
        for harm in harms(statement, new)
        if harm.kind in refused
    ]
    if facts.transactional and any(" concurrently " in f" {s} " for s in up):
        words = "CONCURRENTLY does not run inside a transaction"
        found.append(_finding(facts, "transaction", words, "TRANSACTIONAL = False"))
    return list(dict.fromkeys(found))


def _says_something(texts: tuple[str, ...]) -> bool:
    try:
        return any(statements(text) for text in texts)
    except Unreadable:
        return False
