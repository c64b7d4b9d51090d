"""`slipway merge`: a reviewed feature branch becomes part of develop, by plumbing in the origin.

What develop would become is made first, as a candidate: a commit that no branch names. When its
source is the one that was checked, develop moves to it; when develop had moved on, the candidate is
checked itself, by a job, which then moves develop. A ref moves only from where it was expected.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pipelines.flows.reviewing import (
    Desk,
    Standing,
    approvals,
    believed,
    is_own,
    judged,
    not_green,
    require_green,
    require_reviews,
    standing,
)
from pipelines.flows.source_ports import Move, Source
from pipelines.model.errors import InProgress, NeedsPerson, Refused
from pipelines.model.evidence import APPROVAL, MERGE, PERSON, Proven, environment_role
from pipelines.model.source import source_digest
from pipelines.records import jobs as states
from pipelines.records.jobs import Job

TRIES = 5
DEVELOP = "develop"
BRANCH, COMMIT, ACTOR = "Slipway-Merge", "Slipway-Commit", "Slipway-Actor"
_GONE = "0" * 40


@dataclass(frozen=True, slots=True)
class Merged:
    """`status`: merged · nothing (it was merged before) · checking (`job` completes it) · planned
    (a dry run). `commit` is the merge, or its candidate. `notes`: what the rules warn of."""

    status: str
    branch: str
    target: str
    head: str
    commit: str
    job: Job | None = None
    notes: tuple[str, ...] = ()


def merge(desk: Desk, branch: str, reason: str, *, only_looking: bool = False) -> Merged:
    """Raises BadInput (no such branch), Refused (the wrong way, no green check, reviews missing, a
    conflict, an actor who cannot sign), InProgress (develop keeps moving)."""
    for _ in range(TRIES):
        where = standing(desk, branch)
        _flow(desk, where)
        if desk.origin.contains(where.target, where.head):
            return _was_merged(desk, where, reason)
        proven = require_green(desk, where)
        notes = tuple(require_reviews(desk, where, proven))
        candidate = _candidate(desk, where, reason, keep=not only_looking)
        ready = _checked(desk, where, candidate)
        facts = (where.branch, where.target, where.head, candidate)
        if only_looking:
            return Merged("planned", *facts, notes=notes)
        desk.evidence.require_voice(where.source, role=PERSON, signer=desk.actor)
        if not ready:
            return Merged("checking", *facts, _ask(desk, where, candidate, reason), notes)
        try:
            complete(desk, where, candidate, reason, by_worker=False)
        except InProgress:
            continue  # somebody else's merge came first: the next candidate is upon it
        return Merged("merged", *facts, notes=notes)
    raise InProgress(
        f"develop moved {TRIES} times while {branch} was being merged",
        hint=f"run it again: slipway merge {branch}",
    )


def _flow(desk: Desk, where: Standing) -> None:
    if where.target != DEVELOP:
        raise Refused(
            f"{where.branch} goes to {where.target} with the release that is made from it",
            hint="build and promote it: slipway promote staging RELEASE, then slipway promote "
            "production RELEASE --reason …",
        )
    facts = {"action": "merge", "branch": where.branch, "target": where.target}
    judged(desk, "branch_flow", where.branch, facts)


def _candidate(desk: Desk, where: Standing, reason: str, *, keep: bool) -> str:
    """The merge of the two heads; the same one while neither moves. Raises Refused: a conflict."""
    ref = f"refs/slipway/merge/{where.branch}"
    known = desk.origin.ref(ref)
    if known is not None and desk.origin.parents(known) == (where.tip, where.head):
        return known
    subject = f"Merge {where.branch} into {where.target}"
    trailers = {BRANCH: where.branch, COMMIT: where.head, ACTOR: desk.actor}
    made = merge_commits(
        desk.origin,
        where.tip,
        where.head,
        f"{subject}\n\n{reason}" if reason else subject,
        trailers,
        actor=desk.actor,
    )
    if keep:
        desk.origin.move([Move(ref, made, known or "")])
    return made


def merge_commits(
    origin: Source,
    onto: str,
    commit: str,
    subject: str,
    trailers: Mapping[str, str],
    *,
    actor: str,
) -> str:
    """A merge commit of two commits, by git alone, without a work tree; no ref moves. Raises Refused
    naming the files in conflict."""
    return origin.merge(onto, commit, subject, trailers, author=actor)


def _checked(desk: Desk, where: Standing, candidate: str) -> bool:
    """Whether what develop would become was checked: its source is the branch's own and develop has
    moved in documents alone, or the candidate has a green check of its own. Raises Refused when that
    check is red."""
    source = source_digest(desk.origin.trees(candidate))
    if source == where.source and all(map(_is_document, desk.origin.paths(where.head, where.tip))):
        return True
    job = desk.jobs.newest(where.branch, kind=states.MERGE, commit=candidate)
    if job is None or not job.ended:
        return False
    red = not_green(believed(desk, source), where.branch, candidate)
    if red and job.status == states.FAILED:
        raise Refused(
            f"{where.branch} merged with {where.target} {where.tip[:12]} is red: {'; '.join(red)}",
            hint=f"bring it up to date and mend it: git fetch slipway && git merge "
            f"slipway/{where.target}, then push again",
        )
    return not red


def _is_document(path: str) -> bool:
    """The engine and the rules are no part of a source, and are checked all the same."""
    return path.startswith("docs/") or ("/" not in path and path.endswith(".md"))


def _ask(desk: Desk, where: Standing, candidate: str, reason: str) -> Job:
    job = desk.jobs.ask(
        states.MERGE, where.branch, candidate, actor=desk.actor, reason=reason, again=True
    )
    desk.audit.append(
        actor=desk.actor,
        action="merge",
        reason=reason,
        result="asked",
        details={"branch": where.branch, "commit": where.head, "candidate": candidate},
    )
    desk.wake()
    return job


def complete(desk: Desk, where: Standing, candidate: str, reason: str, *, by_worker: bool) -> None:
    """Move develop to the candidate and say so. Raises InProgress when develop has moved."""
    desk.origin.move(
        [
            Move(f"refs/heads/{where.target}", candidate, where.tip),
            Move(f"refs/slipway/merge/{where.branch}", _GONE, candidate),
        ]
    )
    _record(desk, where, candidate, reason, by_worker=by_worker)


def complete_checked(desk: Desk, job: Job) -> tuple[str, str]:
    """For the job of a candidate that has just passed: everything that may have changed since it was
    asked for is judged again. Returns the job's status and words: superseded when develop has moved
    on, and the next candidate was asked for. Raises Refused."""
    where = standing(desk, job.branch)
    _flow(desk, where)
    if desk.origin.contains(where.target, job.commit):
        _record(desk, where, job.commit, job.reason, by_worker=True)
        return states.PASSED, f"{job.branch} is in {where.target} already"
    proven = require_green(desk, where)
    require_reviews(desk, where, proven)
    if desk.origin.parents(job.commit) == (where.tip, where.head):
        try:
            complete(desk, where, job.commit, job.reason, by_worker=True)
            merged = f"{job.branch} is merged into {where.target} as {job.commit[:12]}"
            return states.PASSED, merged
        except InProgress:
            where = standing(desk, job.branch)
    candidate = _candidate(desk, where, job.reason, keep=True)
    if candidate == job.commit:
        raise NeedsPerson(
            f"{where.target} could not be moved to {candidate[:12]}", hint="run it again"
        )
    _ask(desk, where, candidate, job.reason)
    return states.SUPERSEDED, f"{where.target} moved on: {candidate[:12]} is checked instead"


def _was_merged(desk: Desk, where: Standing, reason: str) -> Merged:
    """Nothing to do; what a command that was killed in the middle still owed is done."""
    found = next(
        (c.id for c in desk.origin.log(None, where.tip) if c.parents[1:] == (where.head,)), ""
    )
    if found and desk.origin.trailers(found).get(BRANCH) == where.branch:
        _record(desk, where, found, reason, by_worker=False)
    return Merged("nothing", where.branch, where.target, where.head, found or where.head)


def _record(desk: Desk, where: Standing, commit: str, reason: str, *, by_worker: bool) -> None:
    """Statement, audit and delivery of a merge; each once."""
    source = source_digest(desk.origin.trees(commit))
    proven = believed(desk, source)
    if proven.newest(MERGE, merge_commit=commit) is None:
        if source != where.source:
            _carry(desk, where, commit, source)
        role, signer = (environment_role("dev"), "dev") if by_worker else (PERSON, desk.actor)
        desk.evidence.say(
            MERGE,
            source,
            {
                "branch": where.branch,
                "commit": where.head,
                "target": where.target,
                "merge_commit": commit,
                "actor": desk.actor,
                "reason": reason,
            },
            role=role,
            signer=signer,
        )
        desk.audit.append(
            actor=desk.actor,
            action="merge",
            reason=reason,
            result="done",
            details={"branch": where.branch, "commit": where.head, "merge_commit": commit},
        )
    if desk.origin.head(DEVELOP) == commit:
        desk.jobs.ask(
            states.DELIVER, DEVELOP, commit, actor=desk.actor, reason=f"merged {where.branch}"
        )
        desk.wake()


def _carry(desk: Desk, where: Standing, commit: str, source: str) -> None:
    """The merged source is not the one that was approved: who merges it approves it, by the
    approvals there are. Raises Refused when this person has no key."""
    there: Proven = believed(desk, where.source)
    given = [a for a in approvals(there, where.branch) if a["commit"] == where.head]
    desk.evidence.say(
        APPROVAL,
        source,
        {
            "branch": where.branch,
            "commit": commit,
            "target": where.target,
            "actor": desk.actor,
            "reason": f"merged what was approved as {where.head[:12]}",
            "approved_by": sorted({a["actor"] for a in given}),
            "self_approval": is_own(desk, where) or any(a["self_approval"] for a in given),
        },
        role=PERSON,
        signer=desk.actor,
    )
