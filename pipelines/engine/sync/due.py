"""What a controller does about one Application when it looks at branch and cluster. Pure.

As Argo CD does it with `automated`: a commit is synced when live is not as it says, and one that
failed is not tried again until a newer one comes or somebody asks.
"""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

from pipelines.model.sync_state import RUNNING, SUCCEEDED, TERMINATED, SyncState


class Due(StrEnum):
    """SYNC: begin, or begin anew. KEEP: all is as the commit says, heal what changes. REST: the commit
    failed; nothing happens until the next."""

    SYNC = "sync"
    KEEP = "keep"
    REST = "rest"


def due(
    state: SyncState,
    commit: str,
    path: str,
    *,
    asked: str,
    again: bool,
    confirmed: bool = False,
    differs: Callable[[], bool],
) -> Due:
    """`path`: the folder that the Application names now. `asked`: a person's newest request. `again`:
    what was refused when it was looked at may be tried once more. `confirmed`: a person agreed
    to the prunes of this commit, which also counts for one that failed before they did. `differs` looks
    at what is live, and is asked only where that decides.

    A sync that did not end (its controller died, or a newer commit ended it) is always taken up: what
    it applied is as desired by now, and its hooks may still be missing.
    """
    if state.phase in (RUNNING, TERMINATED) or (asked and asked != state.asked):
        return Due.SYNC
    if state.revision == commit and state.path == path:
        if state.phase == SUCCEEDED:
            return Due.KEEP
        late = confirmed and state.confirmed != commit
        return Due.SYNC if late or (state.refused and again) else Due.REST
    return Due.SYNC if differs() else Due.KEEP
