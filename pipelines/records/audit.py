"""Who did what, when, why and with which result: append-only and hash-chained.

digest = sha256(previous digest + canonical JSON of sequence, at, actor, action, environment,
reason, options, plan_digest, result, details); canonical: keys sorted, no spaces, UTF-8. The first
entry's previous digest is empty. Triggers refuse changes made through SQL; the chain and its
anchors in git show those made around them.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.records.machine import Machine
from pipelines.records.protocols import AuditEntry
from pipelines.records.store import Row, Store

_COLUMNS = (
    "sequence, at, actor, action, environment, reason, options, plan_digest, result, details,"
    " previous, digest"
)
_FIELDS = tuple(name.strip() for name in _COLUMNS.split(","))


def canonical(value: Any) -> str:
    """The one text of a JSON value. Raises ValueError for NaN, TypeError for what is not JSON."""
    return json.dumps(
        value, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False
    )


def digest_of(previous: str, content: Mapping[str, Any]) -> str:
    text = previous + canonical(dict(content))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()


class SqliteAudit:
    """`records.protocols.Audit` over a store."""

    def __init__(self, store: Store, machine: Machine, environment: str) -> None:
        self._store = store
        self._machine = machine
        self._environment = environment

    def append(
        self,
        *,
        actor: str,
        action: str,
        reason: str = "",
        options: Mapping[str, Any] | None = None,
        plan_digest: str = "",
        result: str = "",
        details: Mapping[str, Any] | None = None,
    ) -> AuditEntry:
        # What is hashed is what a reader will parse, so it goes through JSON once.
        options_text, details_text = canonical(dict(options or {})), canonical(dict(details or {}))
        with self._store.write() as transaction:
            last = transaction.execute(
                "select sequence, digest from audit order by sequence desc limit 1"
            )
            sequence, previous = (last[0][0] + 1, last[0][1]) if last else (1, "")
            content = {
                "sequence": sequence,
                "at": self._machine.now(),
                "actor": actor,
                "action": action,
                "environment": self._environment,
                "reason": reason,
                "options": json.loads(options_text),
                "plan_digest": plan_digest,
                "result": result,
                "details": json.loads(details_text),
            }
            entry = AuditEntry(**content, previous=previous, digest=digest_of(previous, content))
            stored = {**content, "options": options_text, "details": details_text}
            transaction.execute(
                f"insert into audit ({_COLUMNS}) values ({', '.join('?' * 12)})",  # noqa: S608
                (*stored.values(), entry.previous, entry.digest),
            )
        return entry

    def head(self) -> str:
        rows = self._store.query("select digest from audit order by sequence desc limit 1")
        return str(rows[0][0]) if rows else ""

    def entries(self, limit: int | None = None) -> Sequence[AuditEntry]:
        """Oldest first; `limit` gives the newest so many."""
        rows = self._store.query(
            f"select {_COLUMNS} from audit order by sequence desc limit ?",  # noqa: S608
            (-1 if limit is None else limit,),
        )
        return [_entry(row) for row in reversed(rows)]

    def verify(self, anchors: Sequence[str]) -> Sequence[str]:
        rows = self._store.query(
            f"select {_COLUMNS} from audit order by sequence"  # noqa: S608 - a constant
        )
        written = self._store.query("select seq from sqlite_sequence where name = 'audit'")
        highest = written[0][0] if written else 0
        return [*_chain_problems(rows, highest), *_anchor_problems(rows, anchors)]


def _entry(row: Row) -> AuditEntry:
    fields = dict(zip(_FIELDS, row, strict=True))
    fields["options"] = json.loads(fields["options"])
    fields["details"] = json.loads(fields["details"])
    return AuditEntry(**fields)


def _chain_problems(rows: Sequence[Row], highest: int) -> list[str]:
    problems: list[str] = []
    previous = ""
    for position, row in enumerate(rows, start=1):
        if row[0] != position:
            problems.append(f"entry {position} is missing: entry {row[0]} stands in its place")
            break
        if row[10] != previous:
            problems.append(f"entry {position} does not follow entry {position - 1}")
        if _recomputed(row) != row[11]:
            problems.append(f"entry {position} was changed: its digest is not that of its content")
        previous = row[11]
    last = rows[-1][0] if rows else 0
    if highest != last:
        problems.append(f"the end is missing: entry {highest} was written, the last is {last}")
    return problems


def _recomputed(row: Row) -> str:
    """Digest of a stored entry; empty when the entry is no longer what append wrote."""
    fields = dict(zip(_FIELDS[:10], row[:10], strict=True))
    try:
        for name in ("options", "details"):
            text = fields[name]
            fields[name] = json.loads(text)
            if canonical(fields[name]) != text:
                return ""
        return digest_of(row[10], fields)
    except (TypeError, ValueError):
        return ""


def _anchor_problems(rows: Sequence[Row], anchors: Sequence[str]) -> list[str]:
    positions = {row[11]: row[0] for row in rows}
    problems: list[str] = []
    reached = 0
    for anchor in anchors:
        if not anchor:
            continue  # committed before the first entry
        position = positions.get(anchor)
        if position is None:
            problems.append(f"the entry anchored in git as {anchor[:16]} is not in the audit")
        elif position < reached:
            problems.append(f"entry {position} is anchored in git after entry {reached}")
        else:
            reached = position
    return problems
