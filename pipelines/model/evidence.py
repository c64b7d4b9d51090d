"""Evidence: who says what about which digest. In-toto statements; the envelope is an adapter's."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

STATEMENT_TYPE = "https://in-toto.io/Statement/v1"
CHECK = "urn:slipway:check:v1"
"""One stage of a check: {stage, status, summary, samples, document, tools, inputs, commit, target,
base, base_source}."""
APPROVAL = "urn:slipway:approval:v1"
"""{branch, commit, target, actor, reason, self_approval}."""
MERGE = "urn:slipway:merge:v1"
"""{branch, commit, target, merge_commit, actor}."""
VERSION = "urn:slipway:version:v1"
"""{release, version, commit, branch}: a version is a signed alias of a digest."""
SOAK = "urn:slipway:soak:v1"
"""Said by an environment: {environment, release, operation, soak_seconds, switched_at,
confirmed_at, shadow: {ok, samples, message}, verify: [{name, ok, samples}]}."""
REHEARSAL = "urn:slipway:rehearsal:v1"
"""{migrations: [...], data: backup|generated, rows, seconds, longest_stall_seconds, ok}."""

CHECK_RUNNER = "check-runner"
PERSON = "person"
ENVIRONMENT_PREFIX = "environment:"


def environment_role(environment: str) -> str:
    return f"{ENVIRONMENT_PREFIX}{environment}"


# Who may say what. A type that is not listed may be said by every role; nothing rests on it.
_SPEAKERS: Mapping[str, tuple[str, ...]] = {
    CHECK: (CHECK_RUNNER,),
    REHEARSAL: (CHECK_RUNNER,),
    APPROVAL: (PERSON,),
    MERGE: (PERSON, ENVIRONMENT_PREFIX),
    VERSION: (PERSON, ENVIRONMENT_PREFIX),
    SOAK: (ENVIRONMENT_PREFIX,),
}


def may_say(role: str, predicate_type: str) -> bool:
    """Whether a role may make a statement of this type at all."""
    kind = ENVIRONMENT_PREFIX if role.startswith(ENVIRONMENT_PREFIX) else role
    return kind in _SPEAKERS.get(predicate_type, (kind,))


def says_nothing(check: Mapping[str, Any], source: str) -> bool:
    """Whether a stage had nothing to judge because the change left the source what it was: a
    document's branch neither vouches for what it was based on, nor makes its checks young again."""
    return check.get("status") == "untouched" and check.get("base_source") == source


@dataclass(frozen=True, slots=True)
class Statement:
    """`source` is `pipelines.model.source.source_digest`; `release` the id where one was built.
    `sequence` (from 1) and `previous` (sha256 of the statement before, empty for the first) chain
    the statements about one source. `role` and `at` (UTC ISO 8601) are inside what is signed."""

    predicate_type: str
    source: str
    predicate: Mapping[str, Any]
    role: str
    signer: str
    at: str
    sequence: int
    previous: str
    release: str = ""


@dataclass(frozen=True, slots=True)
class Proven:
    """All statements about one source, read and verified: signatures, roles, chain and head.
    `problems` in words; not empty means that nothing here may be believed."""

    source: str
    statements: tuple[Statement, ...]
    problems: tuple[str, ...] = ()

    def newest(self, predicate_type: str, **wanted: str) -> Statement | None:
        """The newest statement of a type whose predicate has these values; None as well when there
        are problems: nothing is believed then."""
        if self.problems:
            return None
        for statement in reversed(self.statements):
            if statement.predicate_type == predicate_type and all(
                statement.predicate.get(key) == value for key, value in wanted.items()
            ):
                return statement
        return None

    def newest_check(self, stage: str) -> Statement | None:
        """The newest word about a stage of this source; that there was nothing to judge is none."""
        said = [s for s in self.statements if not says_nothing(s.predicate, self.source)]
        return Proven(self.source, tuple(said), self.problems).newest(CHECK, stage=stage)
