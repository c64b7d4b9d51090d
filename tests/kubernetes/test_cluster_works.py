"""The test cluster is a real one: node, names, Services, metrics, admission, volumes, images."""

from __future__ import annotations

import json
import urllib.request

import pytest

from tests.cluster.standing import Standing
from tests.kubernetes import pods

SERVE = "import http.server as h; h.test(h.SimpleHTTPRequestHandler, port=8080)"
BUSY = "while True: pass"
GIVEN = "belongs to a cluster of somebody's own"


def _logs(cluster: Standing, namespace: str, name: str) -> str:
    phase = ("-n", namespace, "get", "pod", name, "-o", "jsonpath={.status.phase}")
    cluster.until(
        f"pod {name} ends", lambda: cluster.must(*phase) in ("Succeeded", "Failed"), seconds=60
    )
    return cluster.must("-n", namespace, "logs", name)


def _serve(cluster: Standing, namespace: str, image: str) -> None:
    cluster.apply(pods.deployment(namespace, "serve", image, SERVE))
    cluster.apply(pods.service(namespace, "serve", 8080))
    cluster.must("-n", namespace, "rollout", "status", "deployment/serve", "--timeout=60s")


def test_the_node_is_ready_and_runs_the_version_that_was_asked_for(real_cluster: Standing) -> None:
    nodes = json.loads(real_cluster.must("get", "nodes", "-o", "json"))["items"]
    conditions = {c["type"]: c["status"] for c in nodes[0]["status"]["conditions"]}
    assert conditions["Ready"] == "True"
    if real_cluster.folder is not None:
        assert nodes[0]["status"]["nodeInfo"]["kubeletVersion"] == "v1.34.2"


def test_a_pod_finds_a_service_by_its_name_and_is_answered(
    real_cluster: Standing, real_namespace: str, base_image: str
) -> None:
    _serve(real_cluster, real_namespace, base_image)
    ask = (
        "import socket, time, urllib.request as u\n"
        "print(socket.gethostbyname('kubernetes.default.svc.cluster.local'))\n"
        "for _ in range(50):\n"
        "    try:\n"
        "        print(u.urlopen('http://serve', timeout=2).status); break\n"
        "    except OSError:\n"
        "        time.sleep(0.2)\n"
    )
    real_cluster.apply(pods.pod(real_namespace, "ask", base_image, ask))
    address, status = _logs(real_cluster, real_namespace, "ask").split()
    assert address == real_cluster.must(
        "get", "service", "kubernetes", "-o", "jsonpath={.spec.clusterIP}"
    )
    assert status == "200"


def test_a_service_is_reached_from_the_machine_as_well(
    real_cluster: Standing, real_namespace: str, base_image: str
) -> None:
    if real_cluster.folder is None:
        pytest.skip(f"the network {GIVEN}")
    _serve(real_cluster, real_namespace, base_image)
    where = ("-n", real_namespace, "get", "service", "serve", "-o", "jsonpath={.spec.clusterIP}")
    address = f"http://{real_cluster.must(*where)}"

    def answered() -> bool:
        try:
            with urllib.request.urlopen(address, timeout=2) as said:
                return bool(said.status == 200)
        except OSError:
            return False

    assert real_cluster.until("the Service answers", answered, seconds=15) < 15


def test_the_autoscaler_sees_load_and_adds_a_replica(
    real_cluster: Standing, real_namespace: str, base_image: str
) -> None:
    namespace = ("-n", real_namespace)
    real_cluster.apply(pods.deployment(real_namespace, "busy", base_image, BUSY, cpu="20m"))
    limits = ("--cpu-percent=50", "--min=1", "--max=2")
    real_cluster.must(*namespace, "autoscale", "deployment", "busy", *limits)
    replicas = (*namespace, "get", "deployment", "busy", "-o", "jsonpath={.status.readyReplicas}")
    took = real_cluster.until(
        "a second replica", lambda: real_cluster.must(*replicas) == "2", seconds=90
    )
    assert took < 90


def test_the_restricted_standard_refuses_a_pod_that_runs_as_root(
    real_cluster: Standing, real_namespace: str
) -> None:
    content = json.loads(pods.pod(real_namespace, "root", "any", "pass"))
    content["spec"]["securityContext"] = {"runAsUser": 0}
    done = real_cluster.kubectl("create", "-f", "-", feed=json.dumps(content))
    assert done.returncode != 0
    assert 'violates PodSecurity "restricted' in done.stderr
    assert "runAsNonRoot" in done.stderr


def test_a_claim_without_a_class_gets_a_volume_that_any_user_may_write_to(
    real_cluster: Standing, real_namespace: str, base_image: str
) -> None:
    claim = {
        "apiVersion": "v1",
        "kind": "PersistentVolumeClaim",
        "metadata": {"name": "data", "namespace": real_namespace},
        "spec": {
            "accessModes": ["ReadWriteOnce"],
            "resources": {"requests": {"storage": "1Gi"}},
        },
    }
    real_cluster.apply(json.dumps(claim))
    code = "open('/data/x', 'w').write('kept'); print(open('/data/x').read())"
    pod = json.loads(pods.pod(real_namespace, "write", base_image, code))
    pod["spec"]["volumes"] = [{"name": "data", "persistentVolumeClaim": {"claimName": "data"}}]
    pod["spec"]["containers"][0]["volumeMounts"] = [{"name": "data", "mountPath": "/data"}]
    real_cluster.apply(json.dumps(pod))
    assert _logs(real_cluster, real_namespace, "write").split() == ["kept"]
