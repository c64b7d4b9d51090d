"""Load that makes the chart's autoscaler add a replica, on an installation on a cluster."""

from __future__ import annotations

import time
from typing import Any

from tests.kubernetes import good_releases
from tests.kubernetes.cluster_installation import ENVIRONMENT, ClusterInstallation
from tests.kubernetes.service_load import loaded
from tests.planted.edits import values

AUTOSCALING = {
    "enabled": True,
    "minReplicas": 1,
    "maxReplicas": 2,
    "cpuPercent": 60,
    "scaleDownSeconds": 5,
}
RATE = 200.0
LONGEST_SECONDS = 120.0


def _grow(document: dict[str, Any]) -> None:
    document["autoscaling"] = AUTOSCALING


def release(made: ClusterInstallation) -> str:
    """Release one whose autoscaler is on; the checkout is left as it was. Its id."""
    with made.put_back():
        grows = made.release(values(_grow, ENVIRONMENT), "Let dev grow")
    good_releases.demand(made.promote(ENVIRONMENT, grows))
    return grows


def one_more(made: ClusterInstallation) -> float:
    """Seconds from the begin of load to a second pod that is ready."""
    until_one(made)
    begun = time.monotonic()
    with loaded(made, rate=RATE):
        more = "two pods ready"
        made.cluster.until(more, lambda: len(ready(made, live(made))) >= 2, LONGEST_SECONDS)
        return time.monotonic() - begun


def until_one(made: ClusterInstallation) -> None:
    """No release of fewer replicas follows one that has more just now."""
    made.cluster.until("one pod", lambda: len(ready(made, live(made))) == 1, LONGEST_SECONDS)


def live(made: ClusterInstallation) -> str:
    """Label selector of the pods that answer requests of the active slot."""
    return f"slipway.dev/slot={made.selected()},app.kubernetes.io/component=api"


def ready(made: ClusterInstallation, selector: str) -> set[str]:
    """uids of the pods that are ready and stay."""
    return {
        str(pod["metadata"]["uid"])
        for pod in made.objects("pods", selector)
        if "deletionTimestamp" not in pod["metadata"]
        for one in pod["status"].get("conditions", ())
        if one["type"] == "Ready" and one["status"] == "True"
    }
