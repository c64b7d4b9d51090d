"""`slipway plan --live`: of which kinds a cluster's own objects say that they live in no namespace."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.cli.commands import run

ID = "argocd.argoproj.io/tracking-id"
SERVED = {"uid": "5", "resourceVersion": "7"}
CONFIG = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "c"}}


def issuer(*, tracked: str = "", kind: str = "ClusterIssuer", **metadata: str) -> dict[str, Any]:
    notes = {ID: f"{tracked}:cert-manager.io/{kind}:shop/le"} if tracked else {}
    return {
        "apiVersion": "cert-manager.io/v1",
        "kind": kind,
        "metadata": {"name": "le", **metadata, **({"annotations": notes} if notes else {})},
    }


def definition(scope: str, kind: str = "ClusterIssuer") -> dict[str, Any]:
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {"name": "clusterissuers.cert-manager.io"},
        "spec": {"group": "cert-manager.io", "scope": scope, "names": {"kind": kind}},
    }


def planned(
    folder: Path,
    capsys: pytest.CaptureFixture[str],
    desired: list[dict[str, Any]],
    live: list[dict[str, Any]],
    *more: str,
) -> tuple[int, dict[str, Any]]:
    for name, items in (("new", desired), ("old", live)):
        listing = {"apiVersion": "v1", "kind": "List", "items": items}
        (folder / f"{name}.json").write_text(json.dumps(listing))
    files = ["-f", str(folder / "new.json"), "--live", str(folder / "old.json")]
    code = run(["plan", *files, *more, "--output", "json"])
    answer = json.loads(capsys.readouterr().out)
    assert isinstance(answer, dict)
    return code, answer


def steps(answer: dict[str, Any]) -> list[tuple[str, str, str]]:
    return [(one["action"], one["kind"], one["namespace"]) for one in answer["steps"]]


def test_a_cluster_wide_custom_resource_is_pruned_without_a_namespace(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    live = [issuer(tracked="shop", **SERVED)]
    code, answer = planned(tmp_path, capsys, [CONFIG], live)
    assert code == 0
    assert steps(answer) == [("prune", "ClusterIssuer", ""), ("create", "ConfigMap", "default")]


def test_a_cluster_wide_custom_resource_of_another_application_is_refused(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    live = [issuer(tracked="other", **SERVED)]
    code, answer = planned(tmp_path, capsys, [issuer()], live, "--name", "shop")
    assert code == 1
    assert "belongs to the application 'other'" in answer["error"]["message"]


def test_what_is_desired_of_a_kind_that_live_shows_cluster_wide_gets_no_namespace_either(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = {**issuer(), "metadata": {"name": "new"}}
    _, answer = planned(tmp_path, capsys, [issuer(), other], [issuer(resourceVersion="1")])
    assert steps(answer) == [("nothing", "ClusterIssuer", ""), ("create", "ClusterIssuer", "")]
    wrong = {**issuer(), "metadata": {"name": "le", "namespace": "shop"}}
    code, answer = planned(tmp_path, capsys, [wrong], [issuer(uid="1")])
    assert code == 2
    assert "lives in no namespace" in answer["error"]["message"]


@pytest.mark.parametrize(
    "live",
    [
        pytest.param([issuer(kind="Issuer")], id="as rendered, it may leave its namespace out"),
        pytest.param([issuer(kind="Issuer", namespace="default", **SERVED)], id="as served"),
        pytest.param(
            [
                issuer(kind="Issuer", **SERVED),
                {**issuer(kind="Issuer"), "metadata": {"name": "b", "namespace": "shop"}},
            ],
            id="another of the kind is in a namespace",
        ),
        pytest.param(
            [issuer(kind="Issuer", **SERVED), definition("Namespaced", "Issuer")],
            id="its definition says so",
        ),
    ],
)
def test_a_custom_resource_is_in_a_namespace_where_its_kind_is(
    live: list[dict[str, Any]], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    _, answer = planned(tmp_path, capsys, [issuer(kind="Issuer")], live, "--no-prune")
    assert ("nothing", "Issuer", "default") in steps(answer)


def test_a_definition_among_what_is_live_counts_for_what_is_desired(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    live = [definition("Cluster")]
    _, answer = planned(tmp_path, capsys, [issuer()], live, "--no-prune")
    assert ("create", "ClusterIssuer", "") in steps(answer)


def test_a_kind_of_kubernetes_itself_stays_where_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    live = {**CONFIG, "metadata": {"name": "c", "uid": "5"}}
    _, answer = planned(tmp_path, capsys, [CONFIG], [live])
    assert steps(answer) == [("nothing", "ConfigMap", "default")]
