"""Objects as a kube-apiserver 1.34.2 answered them: `applied` by server-side apply, `created` by a
client with all defaults, and `drift`: changed by hand through the same server."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipelines.engine.difference.compare import changes
from pipelines.engine.difference.patch import carried_out

DATA = Path(__file__).parent / "data"
STORED = sorted([*DATA.glob("applied/*.json"), *DATA.glob("created/*.json")])
DRIFTS = sorted(DATA.glob("drift/*.json"))
# Of `data` and `stringData` with one key the latter wins, so this value says nothing.
MEANINGLESS = {("Secret", ("data", "user"))}
IDENTITY = [("apiVersion",), ("kind",), ("metadata", "name"), ("metadata", "namespace")]
Path_ = tuple[str | int, ...]


def read(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text(encoding="utf-8")))


def names(paths: list[Path]) -> list[str]:
    return [f"{path.parent.name}-{path.stem}" for path in paths]


def leaves(value: Any, path: Path_ = ()) -> Iterator[tuple[Path_, Any]]:
    if isinstance(value, dict):
        for name, child in value.items():
            yield from leaves(child, (*path, name))
    elif isinstance(value, list):
        for index, child in enumerate(value):
            yield from leaves(child, (*path, index))
    elif value is not None:
        yield path, value


def another(value: Any) -> Any:
    if isinstance(value, bool):
        return not value
    return value + 1 if isinstance(value, (int, float)) else value + "x"


def test_the_recordings_cover_the_kinds_people_ship() -> None:
    kinds = {read(path)["desired"]["kind"] for path in STORED}
    assert {
        "Deployment", "StatefulSet", "DaemonSet", "Pod", "Service", "Ingress", "NetworkPolicy",
        "HorizontalPodAutoscaler", "PodDisruptionBudget", "Job", "CronJob", "ConfigMap", "Secret",
        "PersistentVolumeClaim", "Role", "RoleBinding", "ClusterRole", "ResourceQuota",
        "LimitRange", "CustomResourceDefinition", "Widget",
    } <= kinds  # fmt: skip


@pytest.mark.parametrize("path", STORED, ids=names(STORED))
def test_what_the_server_made_of_a_manifest_is_no_difference(path: Path) -> None:
    pair = read(path)
    assert changes(pair["desired"], pair["live"]) == ()


@pytest.mark.parametrize("path", STORED, ids=names(STORED))
def test_a_change_of_any_field_that_desired_sets_is_found(path: Path) -> None:
    pair = read(path)
    desired, live = pair["desired"], pair["live"]
    unseen = []
    for where, value in leaves(desired):
        known = where[0] == "status" or where in IDENTITY
        if known or (desired["kind"], where) in MEANINGLESS:
            continue
        wanted = copy.deepcopy(desired)
        place = wanted
        for step in where[:-1]:
            place = place[step]
        place[where[-1]] = another(value)
        if not changes(wanted, live):
            unseen.append(where)
    assert unseen == []


@pytest.mark.parametrize("path", DRIFTS, ids=names(DRIFTS))
def test_a_drift_is_found_with_field_and_manager(path: Path) -> None:
    pair = read(path)
    found = [
        [change.path, change.old, change.new, change.manager]
        for change in changes(pair["desired"], pair["live"])
    ]
    assert found == pair["found"]


@pytest.mark.parametrize("path", DRIFTS, ids=names(DRIFTS))
def test_carrying_the_changes_out_leaves_nothing_to_change(path: Path) -> None:
    pair = read(path)
    desired, live = pair["desired"], pair["live"]
    assert changes(desired, carried_out(live, changes(desired, live))) == ()
