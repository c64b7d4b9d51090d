"""What a webhook makes of a manifest is no difference: nobody heals it, nobody applies it again."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.adapters.kubernetes.client import ApiServer
from pipelines.model.resource import Resource
from pipelines.targets.kubernetes.self_heal import Heal
from tests.kubernetes.syncing import config_map, data, key, settings, soon, syncer
from tests.kubernetes.webhooks import configuration, rewrite, webhook

DESIRED = [config_map("values", mine="1", theirs="first")]
REWRITTEN = {"mine": "1", "theirs": "of the webhook"}


@pytest.fixture
def rewriting(cluster: ApiServer, namespace: str, tmp_path: Path) -> Iterator[None]:
    """From now on `theirs` is what a webhook says, in every config map that is written."""
    patch = {"op": "add", "path": "/data/theirs", "value": "of the webhook"}
    with webhook(tmp_path, rewrite(patch)) as client:
        found = Resource(configuration("Mutating", namespace, "configmaps", client), "webhook")
        cluster.apply(found.manifest)
        trial = {"apiVersion": "v1", "kind": "ConfigMap", "data": {"a": "1"},
                 "metadata": {"name": "trial", "namespace": namespace}}  # fmt: skip

        def known() -> bool:
            cluster.apply(trial)
            return "theirs" in data(cluster, namespace, "trial")

        assert soon(known, 20)
        yield
        cluster.delete(found.key)


@pytest.mark.usefixtures("rewriting")
def test_it_is_no_difference_and_no_second_sync_writes(cluster: ApiServer, namespace: str) -> None:
    with syncer(cluster, settings(namespace)) as sync:
        assert sync.sync(DESIRED).phase == "Succeeded"
        assert data(cluster, namespace, "values") == REWRITTEN
        before = cluster.get(key(namespace, "values"))
        assert soon(lambda: sync.diff(DESIRED) == ())
        assert sync.sync(DESIRED).details["requests"] == 0
        after = cluster.get(key(namespace, "values"))
    assert before is not None
    assert after is not None
    assert after.metadata["resourceVersion"] == before.metadata["resourceVersion"]


@pytest.mark.usefixtures("rewriting")
def test_self_heal_leaves_it_and_still_heals_what_people_change(
    cluster: ApiServer, namespace: str
) -> None:
    heals: list[Heal] = []
    with syncer(cluster, settings(namespace)) as sync:
        sync.sync(DESIRED)
        healer = sync.heal(DESIRED, heals.append)
        time.sleep(2)
        assert heals == []
        changed = {"data": {"mine": "by hand"}}
        cluster.patch(key(namespace, "values"), changed, kind="merge", manager="a-person")
        assert soon(lambda: data(cluster, namespace, "values") == REWRITTEN)
        assert soon(lambda: len(heals) == 1)
        time.sleep(2)
        healer.close()
    assert len(heals) == 1
