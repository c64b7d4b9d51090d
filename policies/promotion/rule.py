"""Whether a release has earned an environment; findings name what is missing and how to get it.

Facts: `release`, `source` (digest), `environment`, `now` (ISO 8601 with offset), `branches` (names
of the branches that contain the commit), `statements` (the proven ones, each `{predicate_type,
predicate, role, signer, at, release}`, oldest first; a `source` in one must be the release's),
`problems` (why the evidence may not be believed, in words), `pending_migrations` (revisions the
environment lacks), `local` (default false: whether a marked self-approval counts).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pipelines.model.check import Finding
from pipelines.model.errors import BadInput
from pipelines.model.fields import Fields
from policies import patterns
from policies.moments import moment
from policies.promotion.data import Data, EnvironmentRule
from policies.promotion.demands import ASK, Case
from policies.promotion.statements import Said, read_statements

__all__ = ["Data", "Facts", "judge"]

RULE = "promotion"
_REQUIRED = ("release", "source", "environment", "now", "branches", "statements")
_OPTIONAL = ("problems", "pending_migrations", "local")


@dataclass(frozen=True, slots=True)
class Facts:
    release: str
    source: str
    environment: str
    now: datetime
    branches: tuple[str, ...]
    statements: tuple[Said, ...]
    problems: tuple[str, ...] = ()
    pending_migrations: tuple[str, ...] = ()
    local: bool = False

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Facts:
        fields = Fields(f"facts of {RULE}", mapping, (*_REQUIRED, *_OPTIONAL))
        return cls(
            release=fields.text("release"),
            source=fields.text("source"),
            environment=fields.text("environment"),
            now=moment(fields.text("now"), "facts: now"),
            branches=fields.texts("branches"),
            statements=read_statements(fields.items("statements"), fields.text("source")),
            problems=fields.texts("problems") if fields.has("problems") else (),
            pending_migrations=(
                fields.texts("pending_migrations") if fields.has("pending_migrations") else ()
            ),
            local=fields.boolean("local") if fields.has("local") else False,
        )


def judge(facts: Facts, data: Data) -> list[Finding]:
    """Evidence that may not be believed is one finding and the end; else one for each demand."""
    rule = data.environments.get(facts.environment)
    if rule is None:
        raise BadInput(
            f"facts of {RULE}: environment: {facts.environment!r:.60} is not in the policy",
            hint=f"it knows: {', '.join(data.environments)}",
        )
    found = _from(facts, rule)
    demands = _demands(facts, rule)
    if demands and facts.problems:
        return [*found, *(_unbelievable(facts, words) for words in facts.problems)]
    case = Case(
        release=facts.release,
        source=facts.source,
        environment=facts.environment,
        now=facts.now,
        statements=facts.statements,
        pending_migrations=facts.pending_migrations,
        local=facts.local,
        max_age_hours=rule.max_age_hours,
        roles=data.roles,
    )
    for demand in demands:
        found += [
            Finding(RULE, f"{facts.release} to {facts.environment}: {lack.words}", hint=lack.hint)
            for lack in ASK[demand.kind](case, demand)
        ]
    return found


def _from(facts: Facts, rule: EnvironmentRule) -> list[Finding]:
    if "*" in rule.origins or any(
        patterns.first_match(rule.origins, branch) for branch in facts.branches
    ):
        return []
    where = ", ".join(facts.branches) or "no branch"
    return [
        Finding(
            RULE,
            f"{facts.release} to {facts.environment}: its commit is on {where};"
            f" {facts.environment} takes only what is on {', '.join(rule.origins)}",
            hint="slipway merge BRANCH brings it to develop; then promote the release built there",
        )
    ]


def _demands(facts: Facts, rule: EnvironmentRule) -> tuple[Any, ...]:
    """The shorter list is for what lies on a hotfix branch and not (yet) on develop."""
    hotfix = any(patterns.matches("hotfix/*", branch) for branch in facts.branches)
    if rule.hotfix is not None and hotfix and "develop" not in facts.branches:
        return rule.hotfix
    return rule.demands


def _unbelievable(facts: Facts, words: str) -> Finding:
    return Finding(
        RULE,
        f"{facts.release} to {facts.environment}: its evidence may not be believed: {words}",
        hint=f"slipway evidence verify {facts.release}",
    )
