"""A command of the application as a Job: the slot's own pod, once, with other arguments. Pure.

It carries none of the labels that Services or a slot select by, runs as the namespace's default
account without a token, keeps the pod's restrictions, and takes copies of the config maps it mounts,
since those of the slot may not be there yet.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Sequence
from typing import Any

from pipelines.model.resource import Resource
from pipelines.targets.kubernetes.layout import (
    COMMAND_LABEL,
    ENVIRONMENT_LABEL,
    NAME_LABEL,
    RELEASE_LABEL,
    Place,
)

KEPT_SECONDS = 3600
"""A finished Job can be looked at for so long."""
LONGEST_NAME = 52
OF_A_PROCESS = ("ports", "lifecycle", "startupProbe", "readinessProbe", "livenessProbe")


def job_objects(
    place: Place,
    desired: Sequence[Resource],
    process: str,
    *,
    name: str,
    command: str,
    argv: Sequence[str],
    seconds: float,
) -> tuple[Resource, list[Resource]]:
    """The Job, and the config maps it mounts. `process` names the Deployment whose pod is taken.

    Raises BadInput when the manifests have no such Deployment.
    """
    name = name[:LONGEST_NAME].rstrip("-.")
    deployment = place.deployment_of(desired, process)
    template = copy.deepcopy(deployment.manifest["spec"]["template"])
    labels = {
        NAME_LABEL: f"{place.application}-command",
        COMMAND_LABEL: command,
        ENVIRONMENT_LABEL: place.environment,
        RELEASE_LABEL: deployment.labels.get(RELEASE_LABEL, ""),
    }
    spec = _pod(template["spec"], argv)
    copies = _copied_maps(spec, desired, name, place.namespace, labels)
    metadata = {"name": name, "namespace": place.namespace, "labels": labels}
    job = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": metadata,
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": max(1, int(seconds)),
            "ttlSecondsAfterFinished": KEPT_SECONDS,
            "template": {"metadata": {"labels": labels}, "spec": spec},
        },
    }
    return Resource(job), copies


def owned(config_map: Resource, job: Resource) -> Resource:
    """The map goes when the Job goes."""
    reference = {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "name": job.name,
        "uid": str(job.metadata["uid"]),
    }
    metadata = {**config_map.metadata, "ownerReferences": [reference]}
    return Resource({**config_map.manifest, "metadata": metadata})


def _pod(spec: dict[str, Any], argv: Sequence[str]) -> dict[str, Any]:
    container = spec["containers"][0]
    for field in OF_A_PROCESS:
        container.pop(field, None)
    container["command"], container["args"] = list(argv), []
    spec["containers"] = [container]
    spec["restartPolicy"] = "Never"
    spec["automountServiceAccountToken"] = False
    for field in ("serviceAccountName", "serviceAccount", "topologySpreadConstraints"):
        spec.pop(field, None)
    spec["terminationGracePeriodSeconds"] = 5
    return spec


def _copied_maps(
    spec: dict[str, Any],
    desired: Sequence[Resource],
    name: str,
    namespace: str,
    labels: dict[str, str],
) -> list[Resource]:
    """Every config map that the manifests bring and the pod mounts, under a name of the Job's own."""
    brought = {one.name: one for one in desired if one.kind == "ConfigMap"}
    copies: dict[str, Resource] = {}
    for volume in spec.get("volumes") or ():
        mounted = volume.get("configMap")
        if not mounted or mounted.get("name") not in brought:
            continue
        original = brought[mounted["name"]]
        called = f"{name}-{len(copies)}" if original.name not in copies else ""
        if called:
            manifest = {
                "apiVersion": "v1",
                "kind": "ConfigMap",
                "metadata": {"name": called, "namespace": namespace, "labels": labels},
                **{
                    k: original.manifest[k]
                    for k in ("data", "binaryData")
                    if k in original.manifest
                },
            }
            copies[original.name] = Resource(manifest)
        mounted["name"] = copies[original.name].name
    return list(copies.values())


def answer_in(log: str) -> tuple[Any, str]:
    """The JSON document in a log that has both streams in one, and the words beside it.

    The last object or array that begins a line and parses; None when there is none.
    """
    decoder, lines = json.JSONDecoder(), log.splitlines(keepends=True)
    begins, position = [], 0
    for line in lines:
        if line[:1] in ("{", "["):
            begins.append(position)
        position += len(line)
    found: tuple[Any, int, int] | None = None
    for start in begins:
        if found is not None and start < found[2]:
            continue
        try:
            value, end = decoder.raw_decode(log, start)
        except ValueError:
            continue
        found = (value, start, end)
    if found is None:
        return None, log
    value, start, end = found
    return value, (log[:start] + log[end:]).strip()
