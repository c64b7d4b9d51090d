"""What a hook has to do about the release that its branch names: go, go on, nothing, or refuse. Pure.

| row and records                                              | way     |
|--------------------------------------------------------------|---------|
| the row names this slot and release, confirmed               | ALREADY |
| the same, provisional                                        | GO_ON   |
| somebody went back from this release, git has not heard of it| REFUSED |
| this operation failed, or was stopped by a person            | REFUSED |
| anything else                                                | GO      |

So a commit about something else does not switch again, a sync that is tried again does not release a
bad version again, and a `git revert` goes back.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from pipelines.model.branch import ActiveRow, BranchState
from pipelines.model.hook import FAILED, RUNNING, SKIPPED, STOPPED, SUCCEEDED, HookRecord


class Way(StrEnum):
    GO = "go"
    GO_ON = "go on"
    ALREADY = "already"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class Admission:
    """`operation`: under which id the row shall be, or is, switched. `former`: the release that was
    active before it; None for the first."""

    way: Way
    operation: str
    former: str | None
    words: str = ""


def admit(
    state: BranchState, row: ActiveRow | None, records: Sequence[HookRecord], *, ran: bool
) -> Admission:
    """`records`: what hooks wrote of the operation that the branch names, oldest first; `ran`:
    whether that operation was the row's at any time."""
    wanted = state.active_content
    release = wanted.release if wanted else ""
    if row is not None and (row.slot, row.release) == (state.active, release):
        way = Way.GO_ON if row.provisional else Way.ALREADY
        words = f"{release} is active in {row.slot} already"
        return Admission(way, row.operation, row.previous_release, words)
    former = row.release if row else None
    # What ran before and was left since is another switch, under another name.
    operation = f"{state.operation}-{row.epoch}" if ran and row else state.operation
    problem = _gone_back(state, row, release) or _ended(state, records)
    return Admission(Way.REFUSED if problem else Way.GO, operation, former, problem)


def _gone_back(state: BranchState, row: ActiveRow | None, release: str) -> str:
    if row is None or row.published or row.previous_release != release:
        return ""
    return (
        f"{state.environment} went back from {release} to {row.release} ({row.reason}), and the branch"
        " does not say so yet"
    )


def _ended(state: BranchState, records: Sequence[HookRecord]) -> str:
    """The newest try counts: an operation that was good may be come back to."""
    newest = records[-1].operation if records else ""
    bad = [one for one in records if one.operation == newest and one.status in (FAILED, STOPPED)]
    if not bad:
        return ""
    return (
        f"{bad[-1].release} failed here before, at {bad[-1].step}: {bad[-1].message}; promote it"
        f" again when it is mended: slipway promote {state.environment}"
    )


def under_way(newest: HookRecord | None, row: ActiveRow | None) -> bool:
    """Do hooks work on a release that is not switched to yet?"""
    if newest is None or (row is not None and row.operation.startswith(newest.operation)):
        return False
    if newest.step == "switch":
        return newest.status == RUNNING
    return newest.status in (RUNNING, SUCCEEDED, SKIPPED)
