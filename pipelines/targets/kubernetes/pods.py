"""What the status of pods says, in words a person can act on. Pure."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

from pipelines.model.resource import Resource

# Reasons that waiting alone does not mend: Kubernetes goes on trying, a release should not.
NO_IMAGE = ("ImagePullBackOff", "ErrImagePull", "ErrImageNeverPull", "InvalidImageName")
HOPELESS = (
    *NO_IMAGE,
    *(
        "CrashLoopBackOff",
        "CreateContainerConfigError",
        "CreateContainerError",
        "RunContainerError",
    ),
    "Unschedulable",
)
LONGEST_WORDS = 300


def ready(pod: Resource) -> bool:
    return condition(pod, "Ready").get("status") == "True" and not going(pod)


def going(pod: Resource) -> bool:
    """Is it being deleted, or has it ended?"""
    ended = status(pod).get("phase") in ("Succeeded", "Failed")
    return ended or pod.metadata.get("deletionTimestamp") is not None


def ip(pod: Resource) -> str:
    return str(status(pod).get("podIP") or "")


def running(pod: Resource) -> bool:
    """At least one of its containers runs, so it may be asked."""
    return any("running" in (one.get("state") or {}) for one in containers(pod))


def container_name(pod: Resource) -> str:
    return str(pod.manifest["spec"]["containers"][0]["name"])


def restarts(pod: Resource) -> int:
    return sum(int(one.get("restartCount") or 0) for one in containers(pod))


def identity(pods: Sequence[Resource]) -> int | None:
    """A number that changes when the oldest pod is another one, or any container was started again;
    more replicas do not change it. None without pods. It stands where other targets have a pid."""
    oldest = min(pods, key=lambda pod: (created(pod), pod.name), default=None)
    if oldest is None:
        return None
    uid = str(oldest.metadata.get("uid", oldest.name)).encode()
    return (zlib.crc32(uid) & 0x3FFFFFFF) + 1 + sum(restarts(pod) for pod in pods)


def created(pod: Resource) -> str:
    return str(pod.metadata.get("creationTimestamp") or "")


def age_seconds(pod: Resource, now: datetime) -> float:
    try:
        return (now - datetime.fromisoformat(created(pod))).total_seconds()
    except ValueError:
        return 0.0


def trouble(pod: Resource) -> tuple[str, bool]:
    """Why it is not ready, and whether waiting is hopeless; empty when its status knows nothing."""
    found = [*_container_troubles(pod), *_pod_troubles(pod)]
    hopeless = [words for words, bad in found if bad]
    if hopeless:
        return hopeless[0], True
    return (found[0][0], False) if found else ("", False)


def missing_image(pod: Resource) -> tuple[str, str] | None:
    """The image that a container of it waits for in vain, and why in the words of the node."""
    for one in containers(pod):
        waiting = (one.get("state") or {}).get("waiting") or {}
        if waiting.get("reason") in NO_IMAGE:
            return str(one.get("image") or ""), short(str(waiting.get("message") or ""))
    return None


def how_to_make(image: str) -> str:
    """What to type when an image of a release is not there."""
    repository, _, release = image.rpartition(":")
    return f"make the image: slipway image {release} --repository {repository} --push"


def _container_troubles(pod: Resource) -> Iterator[tuple[str, bool]]:
    for one in containers(pod):
        state, last = one.get("state") or {}, one.get("lastState") or {}
        waiting, ended = state.get("waiting"), state.get("terminated")
        before = _ending(last["terminated"]) if last.get("terminated") else ""
        if waiting:
            reason = str(waiting.get("reason") or "waiting")
            words = f"{reason}: {before or waiting.get('message') or ''}".rstrip(": ")
            if reason in NO_IMAGE and one.get("image"):
                # What to do comes first: the rest may be cut off.
                words = f"{how_to_make(str(one['image']))}; {words}"
            yield short(words), reason in HOPELESS
        elif ended and int(ended.get("exitCode") or 0) != 0:
            yield short(_ending(ended)), False
        elif before and not one.get("ready"):
            yield short(f"was started again: {before}"), False


def _ending(terminated: Mapping[str, Any]) -> str:
    """How a container ended; what it wrote last where its policy says so."""
    reason = str(terminated.get("reason") or "Error")
    code, words = terminated.get("exitCode"), str(terminated.get("message") or "").strip()
    if reason == "OOMKilled":
        return "OOMKilled: it used more memory than its limit"
    return f"{reason} (exit code {code})" + (f": {words.splitlines()[-1]}" if words else "")


def _pod_troubles(pod: Resource) -> Iterator[tuple[str, bool]]:
    scheduled = condition(pod, "PodScheduled")
    if scheduled.get("status") == "False":
        reason = str(scheduled.get("reason") or "Unschedulable")
        yield short(f"{reason}: {scheduled.get('message') or ''}"), reason in HOPELESS
    if status(pod).get("phase") == "Failed":
        words = f"{status(pod).get('reason') or 'Failed'}: {status(pod).get('message') or ''}"
        yield short(words.rstrip(": ")), True


def deployment_trouble(deployment: Resource) -> str:
    """Why it makes no pods (a quota, a refused admission); empty when it does."""
    for one in (deployment.manifest.get("status") or {}).get("conditions") or ():
        if one.get("type") == "ReplicaFailure" and one.get("status") == "True":
            return short(f"{one.get('reason')}: {one.get('message')}")
    return ""


def desired_replicas(deployment: Resource) -> int:
    """Kubernetes' default is 1."""
    replicas = (deployment.manifest.get("spec") or {}).get("replicas")
    return 1 if replicas is None else int(replicas)


def containers(pod: Resource) -> Sequence[Mapping[str, Any]]:
    facts = status(pod)
    return [
        *(facts.get("initContainerStatuses") or ()),
        *(facts.get("containerStatuses") or ()),
    ]


def status(pod: Resource) -> Mapping[str, Any]:
    return pod.manifest.get("status") or {}


def condition(pod: Resource, kind: str) -> Mapping[str, Any]:
    found: Sequence[Mapping[str, Any]] = status(pod).get("conditions") or ()
    return next((one for one in found if one.get("type") == kind), {})


def short(words: str) -> str:
    words = " ".join(words.split())
    return words if len(words) <= LONGEST_WORDS else words[: LONGEST_WORDS - 1] + "…"
