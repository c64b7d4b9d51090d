"""Where a branch stands on its way to its target: checked, approved, reviewed."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pipelines.flows.receive import rules, target_of
from pipelines.flows.working import CHECKED_KINDS, Branches
from pipelines.model.check import STAGES
from pipelines.model.errors import BadInput, NeedsPerson, Refused
from pipelines.model.evidence import APPROVAL, CHECK, Proven
from pipelines.model.source import source_digest
from pipelines.records import jobs as states
from pipelines.records.evidence import Evidence
from pipelines.records.jobs import Jobs
from pipelines.records.protocols import Audit
from policies import rooms

CODEOWNERS = ".github/CODEOWNERS"
GREEN = ("passed", "untouched")


@dataclass(frozen=True, slots=True)
class Desk:
    """What approving and merging use. `audit` is that of the environment develop goes to; `wake`
    tells the worker that there is a job, and answers whether one lives; `strategies`: those that a
    commit of a branch touches, by files and by parameters."""

    origin: Branches
    evidence: Evidence
    jobs: Jobs
    audit: Audit
    actor: str
    wake: Callable[[], bool]
    strategies: Callable[[str, str], Sequence[str]]


@dataclass(frozen=True, slots=True)
class Standing:
    """A branch of people, its head, where it goes, and the digest of what a release of it would be
    made from."""

    branch: str
    target: str
    head: str
    tip: str
    source: str


def standing(desk: Desk, branch: str) -> Standing:
    """BadInput: no name of a branch, no such branch, or one that is merged nowhere."""
    rule = "branch_names"
    for finding in rooms.judge(rule, {"name": branch}, rules(rule, branch, desk.origin)):
        raise BadInput(finding.message, hint=finding.hint)
    head, target = desk.origin.head(branch), target_of(branch)
    if head is None:
        known = list(desk.origin.heads(*CHECKED_KINDS, "release"))
        near = difflib.get_close_matches(branch, known, n=1)
        guess = f"did you mean {near[0]}? " if near else ""
        push = f"push it first: git push slipway HEAD:{branch}" if target else ""
        raise BadInput(f"the origin has no branch {branch!r:.120}", hint=f"{guess}{push}".strip())
    if not target:
        raise BadInput(
            f"{branch} is merged nowhere", hint="branches to merge are feature/* and hotfix/*"
        )
    tip = desk.origin.head(target)
    if tip is None:
        raise NeedsPerson(f"the origin has no branch {target}", hint="run: slipway up")
    return Standing(branch, target, head, tip, source_digest(desk.origin.trees(head)))


def believed(desk: Desk, source: str) -> Proven:
    """Raises Refused when something speaks against the evidence about a source."""
    proven = desk.evidence.proven(source)
    if proven.problems:
        raise Refused(
            f"the evidence about source {source[:12]} is not whole: {'; '.join(proven.problems)}",
            hint=f"look at it: slipway evidence verify {source[:12]}",
        )
    return proven


def not_green(proven: Proven, branch: str, commit: str) -> list[str]:
    """Stages of this very commit that are missing or red, in words. As this very branch: by another
    name it may be judged by milder rules, or against another target."""
    found = []
    for stage in STAGES:
        said = proven.newest(CHECK, stage=stage, commit=commit, branch=branch)
        if said is None:
            found.append(f"{stage} was not checked")
        elif said.predicate.get("status") not in GREEN:
            found.append(f"{stage} {said.predicate['status']}: {said.predicate.get('summary', '')}")
    return found


def require_green(desk: Desk, where: Standing) -> Proven:
    """Raises Refused: there is no finished check of the head, or it is red."""
    follow = f"slipway check --follow {where.branch}"
    job = desk.jobs.newest(where.branch, kind=states.CHECK, commit=where.head)
    if job is not None and not job.ended:
        raise Refused(
            f"the check of {where.branch} {where.head[:12]} is {job.status}", hint=f"wait: {follow}"
        )
    proven = believed(desk, where.source)
    red = not_green(proven, where.branch, where.head)
    if red:
        mend = "mend it, commit, and push again"
        if job is not None and job.status == states.BROKEN:
            mend = f"mend what could not run, then: {follow} --again"
        raise Refused(
            f"{where.branch} {where.head[:12]} has no green check: {'; '.join(red)}",
            hint=f"see what it says: {follow}; {mend}",
        )
    return proven


def is_own(desk: Desk, where: Standing) -> bool:
    """Whether the actor wrote or pushed it. Nobody but the one who typed it is known where a push
    left no name: then it counts as their own."""
    names = {name.casefold() for name in people(desk, where)}
    return desk.actor.casefold() in names or not _pushers(desk, where.branch)


def people(desk: Desk, where: Standing) -> list[str]:
    """Who wrote the commits of the branch (names, addresses, and their first parts) or pushed it."""
    written = desk.origin.authors(where.tip, where.head)
    short = [name.partition("@")[0] for name in written if "@" in name]
    return sorted({*written, *short, *_pushers(desk, where.branch)})


def _pushers(desk: Desk, branch: str) -> set[str]:
    found = [job for job in desk.jobs.all(1000) if job.branch == branch]
    return {job.actor for job in found if job.kind == states.CHECK and job.reason == "pushed"}


def approvals(proven: Proven, branch: str) -> list[dict[str, Any]]:
    """As the rule `reviews` takes them, oldest first."""
    return [
        {
            "actor": one.signer,
            "commit": str(one.predicate.get("commit", "")),
            "self_approval": one.predicate.get("self_approval") is True,
        }
        for one in proven.statements
        if one.predicate_type == APPROVAL and one.predicate.get("branch") == branch
    ]


def require_reviews(desk: Desk, where: Standing, proven: Proven) -> list[str]:
    """Raises Refused by the rule `reviews` of the branch it goes to. Returns what it warns of."""
    paths = list(desk.origin.paths(where.tip, where.head))
    facts: Mapping[str, Any] = {
        "target": where.target,
        "commit": where.head,
        "authors": people(desk, where),
        "paths": paths,
        "strategies": list(desk.strategies(where.branch, where.head)),
        "codeowners": desk.origin.text(where.tip, CODEOWNERS) or "",
        "approvals": approvals(proven, where.branch),
        "local": True,
    }
    return judged(desk, "reviews", where.branch, facts)


def judged(desk: Desk, rule: str, branch: str, facts: Mapping[str, Any]) -> list[str]:
    """Messages of findings that do not refuse. Raises Refused with all that do, BadInput for a
    policy that cannot be read."""
    found = rooms.judge(rule, facts, rules(rule, branch, desk.origin))
    bad = [finding for finding in found if finding.severity == "error"]
    if bad:
        hint = bad[0].hint.replace("BRANCH", branch)
        raise Refused("; ".join(finding.message for finding in bad), hint=hint)
    return [finding.message for finding in found]
