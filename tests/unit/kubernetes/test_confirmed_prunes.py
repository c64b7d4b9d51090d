"""What `Prune=confirm` holds back waits for a person, and goes when they say so."""

from __future__ import annotations

from typing import Any, cast

from pipelines.engine.sync.moves import Limits
from pipelines.model.resource import Resource
from pipelines.model.sync import SyncOutcome, SyncSettings
from pipelines.targets.kubernetes.sync_run import Progress, Syncer
from tests.unit.kubernetes.memory import NAMESPACE, MemoryCluster, config

SETTINGS = SyncSettings("shop", NAMESPACE, prune=True, allow_empty=True)
OLD = config("old")
NOTES = {
    "argocd.argoproj.io/tracking-id": f"shop:/ConfigMap:{NAMESPACE}/old",
    "argocd.argoproj.io/sync-options": "Prune=confirm",
}


def _sync(
    answers: list[bool], seconds: float = 20.0
) -> tuple[MemoryCluster, SyncOutcome, list[str]]:
    cluster, waits = MemoryCluster(), list[str]()
    cluster.by_hand(OLD, annotations=NOTES)
    syncer = Syncer(cast(Any, cluster), SETTINGS)

    def tell(progress: Progress) -> None:
        waits.append(progress.message)

    def confirmed() -> bool:
        return answers.pop(0) if answers else False

    limits = Limits(operation_seconds=seconds, confirm="say yes")
    desired: list[Resource] = [config("new")]
    try:
        outcome = syncer.sync(desired, progress=tell, limits=limits, confirmed=confirmed)
    finally:
        syncer.close()
    return cluster, outcome, waits


def test_a_prune_is_made_when_somebody_confirms_it_while_the_sync_waits() -> None:
    cluster, outcome, waits = _sync([False, False, True])
    assert outcome.phase == "Succeeded", outcome.message
    assert OLD.key not in cluster.objects
    assert any(
        one.startswith("waiting for pruning confirmation of ")
        and one.endswith("ConfigMap/old; to confirm it: say yes")
        for one in waits
    ), waits


def test_without_confirmation_it_stays_and_the_outcome_says_what_to_do() -> None:
    cluster, outcome, _ = _sync([], seconds=1.5)
    assert outcome.phase == "Failed"
    assert "ConfigMap/old; to confirm it: say yes" in outcome.message
    assert OLD.key in cluster.objects
