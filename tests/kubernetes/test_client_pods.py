"""Commands, logs and requests in a running pod, and hooks that really run: on a whole cluster."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from pipelines.adapters.kubernetes.client import ApiServer, open_cluster
from pipelines.model.resource import Resource
from pipelines.targets.kubernetes.cluster import ApiRefused
from tests.cluster.standing import Standing
from tests.kubernetes.syncing import SHORT, config_map, key, resource, settings, soon, syncer

SAFE = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "runAsUser": 1000,
    "seccompProfile": {"type": "RuntimeDefault"},
}


def pod_spec(image: str, command: str, policy: str) -> dict[str, Any]:
    container = {
        "name": "main",
        "image": image,
        "imagePullPolicy": "Never",
        "command": ["bash", "-c", command],
        "securityContext": SAFE,
    }
    return {"restartPolicy": policy, "terminationGracePeriodSeconds": 0, "containers": [container]}


def job(name: str, image: str, command: str, hook: str) -> Resource:
    template = {"spec": pod_spec(image, command, "Never")}
    spec = {"backoffLimit": 0, "template": template}
    return resource("Job", name, api="batch/v1", annotations={"hook": hook}, spec=spec)


@pytest.fixture
def there(real_cluster: Standing) -> Iterator[ApiServer]:
    found = open_cluster(real_cluster.context, real_cluster.kubeconfig)
    yield found
    found.close()


@pytest.fixture
def pod(there: ApiServer, real_namespace: str, base_image: str) -> str:
    metadata = {"name": "web", "namespace": real_namespace}
    command = "echo started; exec python3 -m http.server 8080 --directory /etc"
    spec = pod_spec(base_image, command, "Always")
    there.apply({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec})

    def answers() -> bool:
        try:
            return there.pod_request(real_namespace, "web", 8080, "/hostname", 2)[0] == 200
        except Exception:
            return False

    assert soon(answers, 60)
    return "web"


def test_a_command_in_a_pod_ends_with_code_and_both_outputs(
    there: ApiServer, real_namespace: str, pod: str
) -> None:
    done = there.exec(real_namespace, pod, "main", ["bash", "-c", "echo a; echo b >&2; exit 7"], 10)
    assert (done.code, done.stdout, done.stderr) == (7, "a\n", "b\n")
    large = "head -c 2000000 /dev/zero | tr '\\0' x"
    assert len(there.exec(real_namespace, pod, "main", ["bash", "-c", large], 20).stdout) == 2000000


def test_a_command_that_takes_too_long_is_given_up(
    there: ApiServer, real_namespace: str, pod: str
) -> None:
    started = time.monotonic()
    assert there.exec(real_namespace, pod, "main", ["sleep", "30"], 1).code is None
    assert time.monotonic() - started < 5


def test_a_command_that_is_not_there_says_so(
    there: ApiServer, real_namespace: str, pod: str
) -> None:
    done = there.exec(real_namespace, pod, "main", ["no-such-program"], 10)
    assert done.code not in (0, None)
    assert "no-such-program" in done.stderr
    with pytest.raises(ApiRefused, match="NotFound"):
        there.exec(real_namespace, "no-such-pod", "main", ["true"], 10)


def test_logs_and_requests_reach_the_pod(there: ApiServer, real_namespace: str, pod: str) -> None:
    assert "started" in there.logs(real_namespace, pod, "main")
    status, body = there.pod_request(real_namespace, pod, 8080, "/hostname", 5)
    assert (status, body.strip()) == (200, b"web")
    assert there.pod_request(real_namespace, pod, 8080, "/nothing", 5)[0] == 404


def test_jobs_run_as_hooks_and_one_that_fails_ends_the_sync(
    there: ApiServer, real_namespace: str, base_image: str
) -> None:
    good = [job("migrate", base_image, "exit 0", "PreSync"), config_map("values", a="1")]
    bad = [job("migrate", base_image, "exit 3", "PreSync"), config_map("values", a="2")]
    with syncer(there, settings(real_namespace)) as sync:
        assert sync.sync(good, limits=SHORT).phase == "Succeeded"
        outcome = sync.sync(bad, limits=SHORT)
    live = there.get(key(real_namespace, "values"))
    assert outcome.phase == "Failed"
    assert "backoff limit" in outcome.message
    assert live is not None
    assert live.manifest["data"] == {"a": "1"}
