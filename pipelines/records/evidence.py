"""Evidence about sources: signed statements, chained, with a head that is kept elsewhere.

A statement is believed when the key of the role it names signed exactly its bytes, that role may
say such a thing, it follows the one before it, and the chain ends where the head says.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Any, Protocol

from pipelines.model.errors import BadInput, NeedsPerson, Refused
from pipelines.model.evidence import Proven, Statement, may_say
from pipelines.records.envelope import (
    OWN_KEY,
    Damaged,
    check_subject,
    digest_of,
    open_envelope,
    seal,
)

_PROBE = b"slipway: nothing is said by this"
"""Signed to see whether a key works; no envelope has such bytes."""


class Evidence(Protocol):
    """Says and proves. `source` is `pipelines.model.source.source_digest`."""

    def say(
        self,
        predicate_type: str,
        source: str,
        predicate: Mapping[str, Any],
        *,
        role: str,
        signer: str,
        release: str = "",
    ) -> Statement:
        """Sign and keep, durably. `signer` is the actor, the environment's name or `check-runner`.

        Raises BadInput (not JSON, a role that may not say this), Refused (no such key, a key that
        others can read), NeedsPerson (the evidence about this source was changed), Unavailable.
        """

    def require_voice(self, source: str, *, role: str, signer: str) -> None:
        """Whether that signer could say something about this source, asked before anything else is
        begun. Raises Refused (no key, a key that is not trusted), NeedsPerson, Unavailable as `say`.
        """

    def proven(self, source: str) -> Proven:
        """All statements about a source, verified. Raises Refused or Unavailable when keys or
        files cannot be read."""

    def head(self, source: str) -> tuple[int, str]:
        """How many statements there are and the digest of the last; (0, "") without any."""

    def sources(self) -> Sequence[str]:
        """Every source that something was ever said about."""


class Keys(Protocol):
    """The signing keys of this installation, and whom it trusts."""

    def sign(self, role: str, signer: str, message: bytes) -> tuple[str, bytes]:
        """(key id, signature). Raises Refused: no such key, or others may read it."""

    def verify(self, role: str, signer: str, key: str, message: bytes, signature: bytes) -> str:
        """Empty when that signer of that role signed; else why it is not believed. Raises Refused
        when the trusted keys cannot be read."""


@dataclass(frozen=True, slots=True)
class Head:
    """Where the chain of a source ends: `count` envelopes, the last with `digest`. `next`: digest
    of one that was about to be added; it may be there or not after a crash."""

    count: int
    digest: str
    next: str = ""


class Shelf(Protocol):
    """Where envelopes lie, one file each, and, elsewhere, the heads. Raises Unavailable."""

    def lock(self, *, shared: bool) -> AbstractContextManager[None]:
        """One writer, or many readers; others wait."""

    def envelopes(self, source: str) -> tuple[dict[int, bytes], list[str]]:
        """Sequence → content, and what else lies there (names)."""

    def add(self, source: str, sequence: int, content: bytes) -> None:
        """On disk when it returns."""

    def head(self, source: str) -> Head | None: ...

    def set_head(self, source: str, head: Head) -> None: ...

    def sources(self) -> Sequence[str]: ...


class Ledger:
    """`Evidence` over keys and a shelf. `now` gives UTC ISO 8601."""

    def __init__(self, keys: Keys, shelf: Shelf, now: Callable[[], str]) -> None:
        self._keys, self._shelf, self._now = keys, shelf, now

    def say(
        self,
        predicate_type: str,
        source: str,
        predicate: Mapping[str, Any],
        *,
        role: str,
        signer: str,
        release: str = "",
    ) -> Statement:
        wrong = check_subject(source, release)
        if OWN_KEY in predicate:
            wrong = f"a predicate may not have a key {OWN_KEY!r}"
        if not may_say(role, predicate_type):
            wrong = f"{role} may not say {predicate_type}"
        if wrong:
            raise BadInput(wrong)
        with self._shelf.lock(shared=False):
            head = self._settled(source)
            statement = Statement(
                predicate_type=predicate_type,
                source=source,
                predicate=dict(predicate),
                role=role,
                signer=signer,
                at=self._now(),
                sequence=head.count + 1,
                previous=head.digest,
                release=release,
            )
            try:
                content = seal(statement, lambda message: self._keys.sign(role, signer, message))
                # What would not be believed is not written: it would spoil the whole chain.
                self._believed(source, statement.sequence, statement.previous, content)
            except (ValueError, TypeError, Damaged) as error:
                raise BadInput(f"{predicate_type} cannot be said: {error}") from None
            digest = digest_of(content)
            self._shelf.set_head(source, Head(head.count, head.digest, digest))
            self._shelf.add(source, statement.sequence, content)
            self._shelf.set_head(source, Head(statement.sequence, digest))
        return statement

    def require_voice(self, source: str, *, role: str, signer: str) -> None:
        key, signature = self._keys.sign(role, signer, _PROBE)
        if why := self._keys.verify(role, signer, key, _PROBE, signature):
            raise Refused(f"what {signer} signs is not believed: {why}", hint="type: slipway up")
        with self._shelf.lock(shared=True):
            self._settled(source)

    def _settled(self, source: str) -> Head:
        """The head, after what a crash left half done. NeedsPerson when the end is not as known."""
        head = self._shelf.head(source) or Head(0, "")
        found, strange = self._shelf.envelopes(source)
        chain = {number: digest_of(content) for number, content in found.items()}
        problems = [*_strange(strange), *_end_problems(chain, head)]
        if problems:
            raise NeedsPerson(
                f"the evidence about source {source[:12]} was changed: {'; '.join(problems)}",
                hint=f"nothing is added to it; look at: slipway evidence verify {source[:12]}",
            )
        if head.next and len(chain) == head.count + 1:
            return Head(head.count + 1, head.next)
        return head

    def proven(self, source: str) -> Proven:
        with self._shelf.lock(shared=True):
            head = self._shelf.head(source) or Head(0, "")
            found, strange = self._shelf.envelopes(source)
        problems = _strange(strange)
        statements: list[Statement] = []
        chain: dict[int, str] = {}
        for number, content in sorted(found.items()):
            previous = chain.get(number - 1, "")
            chain[number] = digest_of(content)
            try:
                statements.append(self._believed(source, number, previous, content))
            except Damaged as error:
                problems.append(f"statement {number}: {error}")
        problems += _end_problems(chain, head)
        return Proven(source, tuple(statements), tuple(problems))

    def _believed(self, source: str, number: int, previous: str, content: bytes) -> Statement:
        """The statement of an envelope at its place in the chain. Raises Damaged."""
        statement, key, signature, message = open_envelope(content)
        why = self._keys.verify(statement.role, statement.signer, key, message, signature)
        if not why and not may_say(statement.role, statement.predicate_type):
            why = f"{statement.role} may not say {statement.predicate_type}"
        if not why and statement.source != source:
            why = f"it is about source {statement.source[:12]}"
        if not why and statement.sequence != number:
            why = f"it is number {statement.sequence}"
        if not why and statement.previous != previous:
            why = f"it does not follow statement {number - 1}"
        if why:
            raise Damaged(why)
        return statement

    def head(self, source: str) -> tuple[int, str]:
        head = self._shelf.head(source) or Head(0, "")
        return head.count, head.digest

    def sources(self) -> Sequence[str]:
        return self._shelf.sources()


def _strange(names: Sequence[str]) -> list[str]:
    return [f"{name} does not belong there" for name in names]


def _end_problems(chain: Mapping[int, str], head: Head) -> list[str]:
    """What is wrong with the row of digests, given where it must end."""
    there = len(chain)
    if sorted(chain) != list(range(1, there + 1)):
        missing = sorted(set(range(1, max(chain) + 1)) - set(chain))
        return [f"statement {missing[0]} is missing"]
    if there == head.count + 1 and head.next and chain[there] == head.next:
        there -= 1
    if there != head.count:
        return [f"{there} statements are there, the head says {head.count}"]
    if head.count and chain[head.count] != head.digest:
        return [f"statement {head.count} is not the one that the head names"]
    return []
