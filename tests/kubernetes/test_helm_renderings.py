"""Helm's library against the program helm, and what both render against a real API server.

`HELM` names the program, else it is looked for on PATH. A missing one fails here: two ways that are
said to give the same text are worth what compares them.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.adapters.kubernetes.client import ApiServer
from pipelines.adapters.kubernetes.helm_library import HelmLibrary
from pipelines.adapters.kubernetes.helm_program import HelmProgram
from pipelines.model.errors import BadInput, Unavailable
from tests.cluster import tools
from tests.cluster.versions import BY_KIND
from tests.kubernetes.api_server import ApiServerProcess, program
from tests.kubernetes.syncing import soon
from tests.support.charts import (
    CHART_NAMES,
    CHARTS,
    ENVIRONMENTS,
    EVERYTHING,
    ROOT,
    objects,
    own_values,
    pod_specs,
)

VALUES: dict[str, Mapping[str, Any]] = {
    "as it stands": {},
    "everything": EVERYTHING,
    "rolling update": {**EVERYTHING, "strategy": "rollingUpdate"},
    "one pod of PostgreSQL": {"database": {"mode": "statefulSet", "args": ["-c", "a=b"]}},
    "a value taken away": {"trading": {"venue": None, "risk": {"max_daily_loss": None}}},
    "strange texts": {"release": {"author": 'A "q" \\ <a@b> é\n--- # x: {{ y }}'}},
    "numbers": {"trading": {"large": 10_000_000_000, "small": 1e-9, "one": 1.0, "none": None}},
}


@pytest.fixture(scope="module")
def helm() -> str:
    found = os.environ.get("HELM") or program("helm")
    assert found, "the program helm is missing: set HELM, or put it on PATH"
    return found


@pytest.fixture(scope="module")
def library() -> Iterator[HelmLibrary]:
    found = HelmLibrary()
    yield found
    found.close()


@pytest.mark.parametrize("over", VALUES.values(), ids=VALUES)
@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("chart", CHART_NAMES)
def test_both_ways_to_run_helm_give_the_same_text(
    helm: str, library: HelmLibrary, chart: str, environment: str, over: Mapping[str, Any]
) -> None:
    values = [*own_values(environment), over]
    texts = [
        way.render(CHARTS / chart, values, name=chart, namespace=f"slipway-{environment}")
        for way in (library, HelmProgram(helm))
    ]
    assert texts[0] == texts[1]
    # Without an Application to sync there is no controller.
    told = chart != "controller" or "applications" in over.get("controller", {})
    assert ("kind: " in texts[0]) is told


@pytest.mark.parametrize(
    "over",
    [
        {"nonsense": 1},
        {"timing": {"waitSeconds": "long", "other": 1}, "slot": "red"},
        {"processes": {"trader": {"live": True}}},
    ],
)
def test_both_refuse_the_same_values_in_the_same_words(
    helm: str, library: HelmLibrary, over: Mapping[str, Any]
) -> None:
    words = []
    for way in (library, HelmProgram(helm)):
        with pytest.raises(BadInput) as refusal:
            way.render(CHARTS / "edge", [over], name="edge", namespace="n")
        words.append(refusal.value.message)
    assert words[0] == words[1]


@pytest.mark.parametrize("environment", ENVIRONMENTS)
@pytest.mark.parametrize("chart", CHART_NAMES)
def test_a_person_s_helm_template_renders_the_same_objects(
    helm: str, library: HelmLibrary, chart: str, environment: str, tmp_path: Path
) -> None:
    """Values files in the order of the command line, as the documents say."""
    done = subprocess.run(
        [
            *(helm, "template", f"charts/{chart}", "--skip-tests"),
            *("-f", "environments/base/values.yaml"),
            *("-f", f"environments/{environment}/values.yaml"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": os.defpath, "HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stderr
    theirs = [found for found in yaml.safe_load_all(done.stdout) if found]
    ours = yaml.safe_load_all(
        library.render(
            CHARTS / chart, own_values(environment), name="release-name", namespace="default"
        )
    )
    assert sorted(theirs, key=str) == sorted(ours, key=str)


@pytest.mark.parametrize("chart", CHART_NAMES)
def test_helm_finds_nothing_to_complain_about(helm: str, chart: str, tmp_path: Path) -> None:
    done = subprocess.run(
        [helm, "lint", "--strict", str(CHARTS / chart)],
        capture_output=True,
        text=True,
        timeout=60,
        env={"PATH": os.defpath, "HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stdout


def test_a_program_that_does_not_end_is_ended(tmp_path: Path) -> None:
    slow = tmp_path / "helm"
    slow.write_text(f"#!/bin/sh\nexec {shutil.which('sleep')} 60\n")
    slow.chmod(0o755)
    with pytest.raises(Unavailable, match=r"did not end within 0\.5 s"):
        HelmProgram(str(slow), seconds=0.5).render(CHARTS / "edge", [], name="x", namespace="y")


@pytest.fixture(scope="module")
def operators(api_server: ApiServerProcess, cluster: ApiServer) -> Iterator[None]:
    """The definitions of kinds that operators bring, as they publish them."""
    kinds = [yaml.safe_load(tools.definition(kind).read_text()) for kind in BY_KIND]
    for definition in kinds:
        cluster.apply(definition)
    try:
        wanted = {(one["spec"]["group"], one["spec"]["names"]["kind"]) for one in kinds}
        assert soon(lambda: wanted <= {*cluster.kinds(refresh=True)}, 20)
        yield
    finally:
        for definition in kinds:
            name = definition["metadata"]["name"]
            place = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
            api_server.request("DELETE", f"{place}/{name}")


@pytest.mark.parametrize("chart", CHART_NAMES)
@pytest.mark.parametrize("strategy", ["blueGreen", "rollingUpdate"])
@pytest.mark.parametrize("database", ["statefulSet", "cloudNativePG"])
@pytest.mark.usefixtures("operators")
def test_a_real_api_server_takes_every_object_by_strict_validation(
    api_server: ApiServerProcess,
    cluster: ApiServer,
    namespace: str,
    library: HelmLibrary,
    chart: str,
    strategy: str,
    database: str,
) -> None:
    over = {**EVERYTHING, "strategy": strategy, "database": {"mode": database}}
    found = objects(library, chart, "production", **over)
    for item in found:
        path = _path(cluster, namespace, item)
        asked = f"{path}?fieldManager=test&force=true&fieldValidation=Strict&dryRun=All"
        status, answer = api_server.request("PATCH", asked, _in(namespace, item))
        assert status in (200, 201), (item["kind"], item["metadata"]["name"], answer)


@pytest.mark.parametrize("chart", CHART_NAMES)
def test_a_namespace_that_enforces_the_restricted_standard_takes_every_pod(
    api_server: ApiServerProcess, namespace: str, library: HelmLibrary, chart: str
) -> None:
    labels = {"pod-security.kubernetes.io/enforce": "restricted"}
    metadata = {"name": namespace, "labels": labels}
    body = {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata}
    asked = f"/api/v1/namespaces/{namespace}?fieldManager=test&force=true"
    assert api_server.request("PATCH", asked, body)[0] == 200
    pods = f"/api/v1/namespaces/{namespace}/pods?dryRun=All"
    over = {**EVERYTHING, "database": {"mode": "statefulSet"}}
    for number, spec in enumerate(pod_specs(objects(library, chart, **over)).values()):
        pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": f"p{number}"}, "spec": spec}
        status, answer = api_server.request("POST", pods, _with_volumes(pod))
        assert status == 201, answer
    plain = {"containers": [{"name": "c", "image": "i"}]}
    root = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "root"}, "spec": plain}
    assert api_server.request("POST", pods, root)[0] == 403


def _with_volumes(pod: dict[str, Any]) -> dict[str, Any]:
    """A claim of a StatefulSet's template is a volume of its pods."""
    spec = dict(pod["spec"])
    named = {volume["name"] for volume in spec.get("volumes") or []}
    mounted = {m["name"] for c in spec["containers"] for m in c.get("volumeMounts") or []}
    claims = [
        {"name": name, "persistentVolumeClaim": {"claimName": name}} for name in mounted - named
    ]
    return {**pod, "spec": {**spec, "volumes": [*(spec.get("volumes") or []), *claims]}}


def _in(namespace: str, item: Mapping[str, Any]) -> dict[str, Any]:
    return {**item, "metadata": {**item["metadata"], "namespace": namespace}}


def _path(cluster: ApiServer, namespace: str, item: Mapping[str, Any]) -> str:
    group, slash, version = item["apiVersion"].rpartition("/")
    kind = cluster.kinds()[(group, item["kind"])]
    root = f"/apis/{group}/{version}" if slash else f"/api/{version}"
    return f"{root}/namespaces/{namespace}/{kind.plural}/{item['metadata']['name']}"
