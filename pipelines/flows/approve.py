"""`slipway approve`: a person's signed word about one commit and what a release of it is made from."""

from __future__ import annotations

from pipelines.flows.reviewing import Desk, Standing, is_own, require_green, standing
from pipelines.model.evidence import APPROVAL, PERSON, Statement


def approve(desk: Desk, branch: str, reason: str) -> tuple[Standing, Statement]:
    """Approving twice is once. Raises BadInput (no such branch), Refused (no green check of its
    head, no key of this person)."""
    where = standing(desk, branch)
    proven = require_green(desk, where)
    for said in proven.statements:
        known = (said.predicate_type, said.signer, said.predicate.get("commit"))
        if known == (APPROVAL, desk.actor, where.head) and said.predicate.get("branch") == branch:
            return where, said
    own = is_own(desk, where)
    said = desk.evidence.say(
        APPROVAL,
        where.source,
        {
            "branch": branch,
            "commit": where.head,
            "target": where.target,
            "actor": desk.actor,
            "reason": reason,
            "self_approval": own,
        },
        role=PERSON,
        signer=desk.actor,
    )
    desk.audit.append(
        actor=desk.actor,
        action="approve",
        reason=reason,
        result="done",
        details={"branch": branch, "commit": where.head, "self_approval": own},
    )
    return where, said
