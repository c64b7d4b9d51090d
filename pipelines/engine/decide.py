"""The truth table: git (`env/*`) against the row, and what follows. Pure.

| git against the row                                        | verb        |
|------------------------------------------------------------|-------------|
| equal, confirmed                                           | NOTHING     |
| equal, provisional and in time                             | RESUME      |
| row provisional past `confirm_by`                          | SWITCH_BACK |
| row carries an unpublished rollback, git names what it left| PUBLISH     |
| the same, but git moved on to a third release              | PUBLISH     |
|   (the hold is written on top; the next look goes forward) |             |
| git newer                                                  | FORWARD     |
|   (the guard inside may still refuse and write the revert) |             |
| git rewritten, deleted, foreign or broken                  | ALARM       |
| git away                                                   | NOTHING     |
| database away                                              | WAIT        |
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from pipelines.model.branch import ActiveRow, BranchHead, BranchReading, RowReading


class Verb(StrEnum):
    NOTHING = "nothing"
    FORWARD = "forward"
    RESUME = "resume"
    PUBLISH = "publish"
    SWITCH_BACK = "switch back"
    ALARM = "alarm"
    WAIT = "wait"


@dataclass(frozen=True, slots=True)
class Decision:
    verb: Verb
    reason: str
    head: BranchHead | None = None
    row: ActiveRow | None = None


def names_same(head: BranchHead, row: ActiveRow) -> bool:
    """Does the branch name the very slot and release the row holds?"""
    content = head.state.active_content
    return head.state.active == row.slot and content is not None and content.release == row.release


def decide(branch: BranchReading, row_reading: RowReading, now: datetime) -> Decision:
    """What to do next for one environment."""
    row = row_reading.row
    if row_reading.down:
        return Decision(Verb.WAIT, f"the database does not answer: {row_reading.detail}")
    if row is not None and row.provisional and row.confirm_by is not None and now > row.confirm_by:
        return Decision(Verb.SWITCH_BACK, "not confirmed in time", branch.head, row)
    if branch.head is None:
        return _without_git(branch, row)
    return _with_git(branch.head, row)


def _without_git(branch: BranchReading, row: ActiveRow | None) -> Decision:
    if branch.trouble in ("unreachable", "absent"):
        return Decision(Verb.NOTHING, f"branch {branch.trouble}: live stays as it is", None, row)
    return Decision(Verb.ALARM, f"branch {branch.trouble}: {branch.detail}", None, row)


def _with_git(head: BranchHead, row: ActiveRow | None) -> Decision:
    if row is None:
        wanted = head.state.active_content
        if wanted is None:
            return Decision(Verb.NOTHING, "the branch names no release", head, None)
        return Decision(Verb.FORWARD, "first release", head, None)
    if not row.published:
        return Decision(Verb.PUBLISH, "git has not heard of the rollback yet", head, row)
    if names_same(head, row):
        if row.provisional:
            return Decision(Verb.RESUME, "under analysis", head, row)
        return Decision(Verb.NOTHING, "equal", head, row)
    return Decision(Verb.FORWARD, "git is newer", head, row)
