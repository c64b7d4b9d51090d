"""`slipway plan` on 1,000 and 10,000 objects of five kinds, a fifth of them changed.

The figure is of the plan itself, on parsed objects as a syncer has them; the whole command, which also
starts Python, reads both sets of files and prints JSON, stands beside it.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.context import Bench
from bench.table import Row, spread
from pipelines.engine.sync.plan import plan
from pipelines.flows.manifest_files import read_files
from pipelines.model.sync import Action, SyncSettings

LIMITS_SECONDS = {1_000: 0.3, 10_000: 3.0}
NAMESPACE = "bench"
REPOSITORY = Path(__file__).resolve().parents[1]


def run(bench: Bench) -> list[Row]:
    rows = []
    for count, limit in LIMITS_SECONDS.items():
        with tempfile.TemporaryDirectory() as folder:
            desired, live = Path(folder, "desired.yaml"), Path(folder, "live.yaml")
            desired.write_text(_documents(count, replicas=3))
            live.write_text(_documents(count, replicas=2, server=True))
            core = [_planned(desired, live, count) for _ in range(bench.times(20, 2))]
            whole = [_typed(desired, live, count) for _ in range(bench.times(5, 1))]
        rows.append(_row(f"plan of {count:,} objects", limit, core))
        rows.append(_row(f"the same as a command: start, read {2 * count:,}, print", None, whole))
    return rows


def _row(what: str, limit: float | None, seconds: list[float]) -> Row:
    must = f"≤ {limit:g} s" if limit else ""
    good = max(seconds) <= limit if limit else None
    return Row(what, must, spread(seconds), good, {"seconds": seconds})


def _planned(desired: Path, live: Path, count: int) -> float:
    """Read anew each time, so that nothing is remembered on the objects."""
    wanted = read_files([str(desired)])
    there = {one.key: one for one in read_files([str(live)])}
    settings = SyncSettings("", NAMESPACE, prune=True)
    began = time.perf_counter()
    made = plan(wanted, there, settings)
    seconds = time.perf_counter() - began
    _check(sum(step.action is Action.CHANGE for step in made.steps), count)
    return seconds


def _typed(desired: Path, live: Path, count: int) -> float:
    began = time.perf_counter()
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pipelines.cli.main", "plan"),
            *("-f", str(desired), "--live", str(live), "--output", "json"),
        ],
        cwd=REPOSITORY,
        capture_output=True,
        check=True,
    )
    seconds = time.perf_counter() - began
    _check(json.loads(done.stdout)["summary"]["change"], count)
    return seconds


def _check(changed: int, count: int) -> None:
    if changed != count // 5:
        raise RuntimeError(f"{changed} changes planned, {count // 5} are there")


def _documents(count: int, *, replicas: int, server: bool = False) -> str:
    """JSON documents are YAML; `server` adds what an API server adds."""
    kinds = (_config_map, _secret, _service, _service_account, _deployment)
    objects = []
    for number in range(count):
        body = kinds[number % len(kinds)](number, replicas)
        if server:
            body["metadata"] |= {
                "uid": f"u-{number}", "resourceVersion": str(number), "generation": 1,
                "creationTimestamp": "2026-01-01T00:00:00Z",
            }  # fmt: skip
            body["status"] = {"observedGeneration": 1}
        objects.append(f"---\n{json.dumps(body)}\n")
    return "".join(objects)


def _object(api: str, kind: str, number: int, **body: Any) -> dict[str, Any]:
    metadata = {
        "name": f"{kind.lower()}-{number}",
        "namespace": NAMESPACE,
        "labels": {"app.kubernetes.io/name": "bench", "app.kubernetes.io/component": str(number)},
        "annotations": {"argocd.argoproj.io/sync-wave": str(number % 3)},
    }
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **body}


def _config_map(number: int, replicas: int) -> dict[str, Any]:
    return _object("v1", "ConfigMap", number, data={f"key-{n}": f"{number}-{n}" for n in range(8)})


def _secret(number: int, replicas: int) -> dict[str, Any]:
    word = "Y2hhbmdlbWU="  # not-a-secret: what is measured needs some bytes
    return _object("v1", "Secret", number, type="Opaque", data={"password": word})


def _service(number: int, replicas: int) -> dict[str, Any]:
    ports = [{"name": "http", "port": 80, "targetPort": "http"}]
    return _object("v1", "Service", number, spec={"selector": {"app": "a"}, "ports": ports})


def _service_account(number: int, replicas: int) -> dict[str, Any]:
    return _object("v1", "ServiceAccount", number, automountServiceAccountToken=False)


def _deployment(number: int, replicas: int) -> dict[str, Any]:
    container = {
        "name": "web",
        "image": "registry.example/web:1",
        "ports": [{"name": "http", "containerPort": 8080}],
        "env": [{"name": f"NAME_{n}", "value": str(n)} for n in range(6)],
        "resources": {
            "requests": {"cpu": "1", "memory": "2Gi"},
            "limits": {"cpu": "2", "memory": "4Gi"},
        },
        "readinessProbe": {"httpGet": {"path": "/health/ready", "port": "http"}},
    }
    labels = {"app": f"web-{number}"}
    template = {"metadata": {"labels": labels}, "spec": {"containers": [container]}}
    spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
    return _object("apps/v1", "Deployment", number, spec=spec)
