"""Whether anything is demanded of a promotion, and what the rules' findings mean to the guard. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipelines.model.branch import BranchState
from pipelines.model.check import Finding
from pipelines.model.live import Check


def exempt(state: BranchState, release: str, *, first: bool, ran: Mapping[str, str]) -> str:
    """Why nothing is demanded of this commit; empty when it is a promotion like any other.

    `ran` maps operations that ended well in this environment to their releases. What a commit says
    of itself is not enough: only a first release is a bootstrap, and only what ran here before can
    come back.
    """
    if state.kind == "bootstrap" and first:
        return "the first release of an environment"
    if ran.get(state.operation) == release:
        return "it was released here by this very operation"
    if state.kind in ("rollback", "hold", "unhold") and release in ran.values():
        return f"{state.kind}: it ran here before"
    return ""


def verdict(name: str, findings: Sequence[Finding]) -> list[Check]:
    """Findings of a rule as checks of the guard: each error is a refusal with what to type."""
    bad = [finding for finding in findings if finding.severity == "error"]
    if not bad:
        told = "; ".join(finding.message for finding in findings)
        return [Check(name, True, told or "nothing is missing")]
    return [Check(name, False, words(finding.message, finding.hint)) for finding in bad]


def words(message: str, hint: str) -> str:
    return f"{message}; {hint}" if hint else message
