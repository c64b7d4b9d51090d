"""What a sync says of kinds in which something of the application may be left behind."""

from __future__ import annotations

from typing import Any, cast

from pipelines.model.sync import SyncSettings
from pipelines.targets.kubernetes.sync_run import Syncer
from tests.unit.kubernetes.memory import MemoryCluster, config

SETTINGS = SyncSettings("shop", "shop", prune=True)


def warnings(cluster: MemoryCluster) -> list[str]:
    syncer = Syncer(cast(Any, cluster), SETTINGS)
    try:
        outcome = syncer.sync([config("one", a="1")])
        assert outcome.phase == "Succeeded"
        assert list(syncer.plan([config("one", a="1")]).warnings) == outcome.details["warnings"]
    finally:
        syncer.close()
    return list(outcome.details["warnings"])


def test_kinds_that_may_not_be_listed_are_named_with_what_to_do() -> None:
    cluster = MemoryCluster()
    cluster.unlisted = {"Job": "Forbidden", "Service": "Forbidden"}
    (words,) = warnings(cluster)
    assert "since they may not be listed: Job.batch, Service;" in words
    assert "until somebody deletes it" in words


def test_a_kind_that_cannot_be_listed_at_all_is_not_worth_a_word() -> None:
    cluster = MemoryCluster()
    cluster.unlisted = {"Job": "MethodNotAllowed"}
    assert warnings(cluster) == []


def test_who_may_list_everything_is_told_nothing() -> None:
    assert warnings(MemoryCluster()) == []
