"""What tests of a sync share: small manifests, a syncer per namespace, ways to change live objects."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from typing import Any

from pipelines.adapters.kubernetes.client import ApiServer
from pipelines.engine.sync.moves import Limits
from pipelines.model.resource import Resource, ResourceKey
from pipelines.model.sync import Retry, SyncOutcome, SyncSettings
from pipelines.targets.kubernetes.sync_run import Syncer

APPLICATION = "shop"
ONCE = Retry(limit=0)
SHORT = Limits(operation_seconds=20)


def settings(namespace: str, *options: str, **changed: Any) -> SyncSettings:
    given: dict[str, Any] = {"prune": True, "retry": ONCE, "options": frozenset(options), **changed}
    return SyncSettings(application=APPLICATION, namespace=namespace, **given)


@contextlib.contextmanager
def syncer(cluster: ApiServer, wanted: SyncSettings) -> Iterator[Syncer]:
    found = Syncer(cluster, wanted)
    try:
        yield found
    finally:
        found.close()


def resource(
    kind: str, name: str, *, api: str = "v1", annotations: dict[str, str] | None = None, **body: Any
) -> Resource:
    metadata: dict[str, Any] = {"name": name}
    if annotations:
        metadata["annotations"] = {
            f"argocd.argoproj.io/{key.replace('_', '-')}": value
            for key, value in annotations.items()
        }
    return Resource({"apiVersion": api, "kind": kind, "metadata": metadata, **body}, "test.yaml")


def config_map(name: str, *, annotations: dict[str, str] | None = None, **data: str) -> Resource:
    return resource("ConfigMap", name, annotations=annotations, data=data)


def job(name: str, *, annotations: dict[str, str] | None = None, image: str = "x") -> Resource:
    container = {"name": "main", "image": image}
    spec = {"template": {"spec": {"restartPolicy": "Never", "containers": [container]}}}
    return resource("Job", name, api="batch/v1", annotations=annotations, spec=spec)


def key(namespace: str, name: str, kind: str = "ConfigMap", group: str = "") -> ResourceKey:
    return ResourceKey(group, kind, namespace, name)


def data(cluster: ApiServer, namespace: str, name: str) -> Any:
    live = cluster.get(key(namespace, name))
    return None if live is None else live.manifest.get("data")


def messages(outcome: SyncOutcome) -> dict[str, str]:
    """By name what was said about each object."""
    return {result.key.name: result.message for result in outcome.results}


def codes(outcome: SyncOutcome) -> dict[str, str]:
    return {result.key.name: str(result.code) for result in outcome.results}


def soon(true: Callable[[], bool], seconds: float = 10.0) -> bool:
    until = time.monotonic() + seconds
    while not true() and time.monotonic() < until:
        time.sleep(0.005)
    return true()


def finish_job(cluster: ApiServer, namespace: str, name: str, *, failed: bool = False) -> None:
    """What the job controller writes when a job's pods have ended."""
    now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())

    def condition(kind: str) -> dict[str, str]:
        return {"type": kind, "status": "True", "lastTransitionTime": now, "reason": "Test",
                "message": "it said no" if failed else ""}  # fmt: skip

    status: dict[str, Any] = {"startTime": now}
    if failed:
        status |= {"failed": 1, "conditions": [condition("FailureTarget"), condition("Failed")]}
    else:
        status |= {"succeeded": 1, "completionTime": now,
                   "conditions": [condition("SuccessCriteriaMet"), condition("Complete")]}  # fmt: skip
    where = key(namespace, name, "Job", "batch")
    cluster.patch(where, {"status": status}, kind="merge", subresource="status")
