"""Self-heal, drift reports and the generated rights against a real API server."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

import pytest

from pipelines.adapters.kubernetes.client import ApiServer, open_cluster
from pipelines.model.errors import SlipwayError
from pipelines.model.resource import Manifest
from pipelines.model.sync import Action
from pipelines.targets.kubernetes.drift_report import drifts, report
from pipelines.targets.kubernetes.roles import Account, roles
from pipelines.targets.kubernetes.self_heal import Heal
from tests.kubernetes.api_server import ApiServerProcess
from tests.kubernetes.syncing import (
    config_map,
    data,
    job,
    key,
    messages,
    resource,
    settings,
    soon,
    syncer,
)


def changed(cluster: ApiServer, namespace: str, name: str, **values: str) -> None:
    cluster.patch(key(namespace, name), {"data": values}, kind="merge", manager="a-person")


def test_what_is_changed_by_hand_is_put_back_and_recorded(
    cluster: ApiServer, namespace: str
) -> None:
    heals: list[Heal] = []
    desired = [config_map("values", a="1"), job("migrate", annotations={"hook": "PostSync"})]
    with syncer(cluster, settings(namespace)) as sync:
        sync.sync(desired[:1])
        healer = sync.heal(desired, heals.append)
        changed(cluster, namespace, "values", a="2")
        assert soon(lambda: data(cluster, namespace, "values") == {"a": "1"})
        assert soon(lambda: len(heals) == 1)
        healer.close()
    (heal,) = heals
    assert heal.ok
    assert heal.action is Action.CHANGE
    assert [(c.path, c.old, c.new, c.manager) for c in heal.changes] == [
        ("/data/a", "2", "1", "a-person")
    ]
    assert cluster.get(key(namespace, "migrate", "Job", "batch")) is None, "hooks do not run"


def test_what_is_deleted_by_hand_comes_back(cluster: ApiServer, namespace: str) -> None:
    heals: list[Heal] = []
    with syncer(cluster, settings(namespace)) as sync:
        desired = [config_map("values", a="1"), config_map("other")]
        sync.sync(desired)
        healer = sync.heal(desired, heals.append)
        cluster.delete(key(namespace, "values"))
        assert soon(lambda: data(cluster, namespace, "values") == {"a": "1"})
        assert soon(lambda: [heal.action for heal in heals] == [Action.CREATE])
        healer.close()


def test_drift_is_healed_within_a_second(cluster: ApiServer, namespace: str) -> None:
    took: list[float] = []
    desired = [config_map(f"values-{number}", a="1") for number in range(100)]
    with syncer(cluster, settings(namespace)) as sync:
        sync.sync(desired)
        healer = sync.heal(desired, lambda heal: None)
        for number in range(20):
            name = f"values-{number}"
            started = time.monotonic()
            changed(cluster, namespace, name, a="2")
            assert soon(partial(is_back, cluster, namespace, name))
            took.append(time.monotonic() - started)
        healer.close()
    assert sorted(took)[18] <= 1.0, took


def test_two_who_fight_for_a_field_are_slowed_down(cluster: ApiServer, namespace: str) -> None:
    heals: list[Heal] = []
    desired = [config_map("values", a="1")]
    with syncer(cluster, settings(namespace)) as sync:
        sync.sync(desired)
        healer = sync.heal(desired, heals.append)
        until = time.monotonic() + 3
        while time.monotonic() < until:
            changed(cluster, namespace, "values", a=str(time.monotonic()))
            time.sleep(0.02)
        healer.close()
    assert 3 <= len(heals) <= 5


def test_nothing_is_healed_after_the_healer_was_closed(cluster: ApiServer, namespace: str) -> None:
    desired = [config_map("values", a="1")]
    with syncer(cluster, settings(namespace)) as sync:
        sync.sync(desired)
        sync.heal(desired, lambda heal: None).close()
        changed(cluster, namespace, "values", a="2")
        time.sleep(0.3)
    assert data(cluster, namespace, "values") == {"a": "2"}


def test_the_drift_report_names_field_values_and_who_did_it(
    cluster: ApiServer, namespace: str
) -> None:
    secret = resource("Secret", "token", stringData={"word": "open-sesame"})
    desired = [config_map("values", a="1"), config_map("gone"), secret]
    with syncer(cluster, settings(namespace)) as sync:
        sync.sync(desired)
        changed(cluster, namespace, "values", a="2")
        cluster.delete(key(namespace, "gone"))
        where = key(namespace, "token", "Secret")
        cluster.patch(where, {"stringData": {"word": "hunter2"}}, kind="merge", manager="a-person")
        wanted = {("values", "/data/a"), ("gone", "")}
        assert soon(lambda: wanted <= {(d.key.name, d.path) for d in drifts(sync.diff(desired))})
        text = report(sync.diff(desired))
    assert (
        f'ConfigMap {namespace}/values: /data/a: is "2", shall be "1"; by a-person since 20' in text
    )
    assert f"ConfigMap {namespace}/gone: is missing" in text
    assert "hunter2" not in text
    assert "open-sesame" not in text
    assert "aHVudGVyMg" not in text


@pytest.mark.parametrize("change", ["other-name", "other-kind", "other-namespace"])
def test_the_generated_rights_are_enough_and_no_more(
    api_server: ApiServerProcess, cluster: ApiServer, namespace: str, change: str
) -> None:
    desired = [config_map("values", a="1"), resource("Secret", "token", stringData={"a": "b"})]
    wanted = settings(namespace)
    for manifest in roles(desired, wanted, Account("controller", namespace)):
        if manifest["kind"] == "RoleBinding":
            user = {"kind": "User", "name": "weak", "apiGroup": "rbac.authorization.k8s.io"}
            manifest = {**manifest, "subjects": [user]}
        cluster.apply(manifest)
    path = api_server.write_kubeconfig(api_server.folder / "weak", "token-of-weak")
    weak = open_cluster(kubeconfig=path)
    with syncer(weak, wanted) as sync:
        assert sync.sync(desired).phase == "Succeeded"
        assert sync.sync([config_map("values", a="2"), desired[1]]).phase == "Succeeded"
        assert sync.sync([config_map("values", a="2")]).phase == "Succeeded", "pruning"
    more: dict[str, Callable[[], object]] = {
        "other-name": lambda: weak.apply(placed(config_map("other").manifest, namespace)),
        "other-kind": lambda: weak.list("", "Service", namespace=namespace),
        "other-namespace": lambda: weak.list("", "ConfigMap", namespace="default"),
    }
    with pytest.raises(SlipwayError, match="Forbidden"):
        more[change]()
    weak.close()


def is_back(cluster: ApiServer, namespace: str, name: str) -> bool:
    return bool(data(cluster, namespace, name) == {"a": "1"})


def placed(manifest: Manifest, namespace: str) -> Manifest:
    return {**manifest, "metadata": {**manifest["metadata"], "namespace": namespace}}


def test_a_sync_beyond_its_rights_says_which_right_is_missing(
    api_server: ApiServerProcess, cluster: ApiServer, namespace: str
) -> None:
    wanted = settings(namespace)
    for manifest in roles([config_map("values")], wanted, Account("controller", namespace)):
        if manifest["kind"] == "RoleBinding":
            user = {"kind": "User", "name": "weak", "apiGroup": "rbac.authorization.k8s.io"}
            manifest = {**manifest, "subjects": [user]}
        cluster.apply(manifest)
    path = api_server.write_kubeconfig(api_server.folder / "weak", "token-of-weak")
    weak = open_cluster(kubeconfig=path)
    with syncer(weak, wanted) as sync:
        outcome = sync.sync([config_map("values"), config_map("unforeseen")])
    assert outcome.phase == "Failed"
    assert "patch configmaps" in messages(outcome)["unforeseen"]
    weak.close()
