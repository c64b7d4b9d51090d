"""Two good releases of an installation on a cluster, either a warm way back from the other."""

from __future__ import annotations

from typing import Any

from tests.harness import releases
from tests.harness.installation import Answer
from tests.kubernetes.cluster_installation import ENVIRONMENT, ClusterInstallation
from tests.planted.edits import both, harmless, values

FAST = {"one": 5, "other": 6}
"""Parameter `fast` of strategy `sma-cross` in the two."""


SETTLES_SECONDS = 150.0
"""A way back that is under way is waited for, on a machine that does other things too."""


def _faster(document: dict[str, Any]) -> None:
    document["trading"]["strategies"]["sma-cross"]["parameters"]["fast"] = FAST["other"]


def pair(made: ClusterInstallation) -> tuple[str, str]:
    """What `up` released, and one with other code and other settings; both have been active."""
    found = releases.kept(made)
    if found is None:
        first = str(made.agreement(ENVIRONMENT).row()["release"])
        edit = both(harmless("other"), values(_faster))
        found = first, made.release(edit, "Another mark, another parameter")
        releases.keep(made, found)
        settle(made, found[1])
    return found


def settle(made: ClusterInstallation, release: str | None = None) -> str:
    """No holds, everything agrees, and this release (any of the pair) is active. Its id."""
    lift_holds(made)
    active = str(made.agreement(ENVIRONMENT).row()["release"])
    wanted = release or (active if active in (releases.kept(made) or ()) else pair(made)[0])
    if active != wanted:
        demand(made.promote(ENVIRONMENT, wanted))
    made.agreement(ENVIRONMENT).wait(SETTLES_SECONDS, release=wanted)
    return wanted


def switch(made: ClusterInstallation) -> Answer:
    """Promote whichever of the two is not active."""
    return demand(made.promote(ENVIRONMENT, releases.other_release(made, ENVIRONMENT)))


def lift_holds(made: ClusterInstallation) -> None:
    for hold in made.agreement(ENVIRONMENT).branch()["holds"]:
        made.ok("unhold", ENVIRONMENT, hold["release"], "--reason", "the next test")


def demand(answer: Answer) -> Answer:
    assert answer.code == 0, str(answer)
    return answer
