"""What the pods of a slot say about themselves, beside what the cluster says about them."""

from __future__ import annotations

import json
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from pipelines.model.errors import Unavailable
from pipelines.model.live import Health, ProcessLive, SlotLive, TrafficCounters
from pipelines.model.resource import Resource
from pipelines.model.slots import Slot
from pipelines.targets.kubernetes import pods as status
from pipelines.targets.kubernetes.cluster import Cluster
from pipelines.targets.kubernetes.layout import (
    RELEASE_LABEL,
    STOPPED,
    Place,
    process_of,
)
from pipelines.targets.kubernetes.reach import Reach
from pipelines.targets.local.observation import WORST_LAST, count_requests, failing

ANSWER_SECONDS = 1.0
STARTING_SECONDS = 60.0
ASKING_THREADS = 16
RESIDENT = "process_resident_memory_bytes"


@dataclass(frozen=True, slots=True)
class SlotObjects:
    """Deployments and pods of a slot, by name of the process."""

    slot: Slot
    deployments: dict[str, Resource]
    pods: dict[str, tuple[Resource, ...]]

    @property
    def release(self) -> str | None:
        """What every Deployment was made for; None when there is none, or they differ."""
        named = {one.labels.get(RELEASE_LABEL, "") for one in self.deployments.values()}
        return named.pop() or None if len(named) == 1 else None

    @property
    def stopped(self) -> bool:
        """Scaled to 0 on purpose."""
        return bool(self.deployments) and all(
            status.desired_replicas(one) == 0 and STOPPED in one.annotations
            for one in self.deployments.values()
        )

    @property
    def every_pod(self) -> tuple[Resource, ...]:
        return tuple(pod for found in self.pods.values() for pod in found)


@dataclass(frozen=True, slots=True)
class PodAnswer:
    """What one pod said; `words` why it is not ready."""

    release: str
    artifact: str
    traffic: str
    ready: bool
    words: str


class Observer:
    def __init__(self, place: Place, cluster: Cluster, reach: Reach) -> None:
        self.place, self.cluster, self.reach = place, cluster, reach

    # --- objects -----------------------------------------------------------------------------------
    def objects(self, slot: Slot) -> SlotObjects:
        labels, namespace = self.place.slot_labels(slot), self.place.namespace
        deployments, _ = self.cluster.list("apps", "Deployment", namespace=namespace, labels=labels)
        pods, _ = self.cluster.list("", "Pod", namespace=namespace, labels=labels)
        by_process = {process_of(one): one for one in deployments}
        return SlotObjects(
            slot,
            dict(sorted(by_process.items())),
            {
                name: tuple(
                    pod for pod in pods if process_of(pod) == name and not status.going(pod)
                )
                for name in sorted({*by_process, *map(process_of, pods)} - {""})
            },
        )

    def slot(self, slot: Slot) -> SlotLive:
        return self.live(self.objects(slot))

    def live(self, found: SlotObjects) -> SlotLive:
        if not found.deployments:
            return SlotLive(found.slot, None, (), Health.MISSING, "empty")
        if found.stopped:
            return SlotLive(found.slot, found.release, (), Health.SUSPENDED, "stopped")
        answers = self._ask(found.every_pod)
        processes = tuple(
            self._process(name, deployment, found.pods.get(name, ()), answers)
            for name, deployment in found.deployments.items()
        )
        health = max((p.health for p in processes), key=WORST_LAST.index)
        words = "; ".join(
            f"{p.name}: {p.message}" for p in processes if p.health is not Health.HEALTHY
        )
        if found.release is None:
            health, words = Health.DEGRADED, f"its Deployments are of several releases; {words}"
        return SlotLive(found.slot, found.release, processes, health, words.rstrip("; "))

    # --- pods --------------------------------------------------------------------------------------
    def _ask(self, pods: Sequence[Resource]) -> dict[str, PodAnswer]:
        if not pods:
            return {}
        with ThreadPoolExecutor(min(ASKING_THREADS, len(pods))) as pool:
            answers = pool.map(self._ask_one, pods)
            return {pod.name: answer for pod, answer in zip(pods, answers, strict=True)}

    def _ask_one(self, pod: Resource) -> PodAnswer:
        words, _ = status.trouble(pod)
        if not status.running(pod) or not status.ip(pod):
            return PodAnswer("", "", "", False, words or "starting")
        try:
            version = self._version(pod)
            code, body = self.reach.get(pod, "/health/ready", ANSWER_SECONDS)
        except Unavailable as error:
            return PodAnswer("", "", "", False, words or error.message)
        ready = code == 200
        return PodAnswer(
            str(version.get("release") or ""),
            str(version.get("artifact") or ""),
            str(version.get("traffic") or ""),
            ready,
            "ready" if ready else failing(body) or f"/health/ready answers {code}",
        )

    def _version(self, pod: Resource) -> dict[str, Any]:
        code, body = self.reach.get(pod, "/version", ANSWER_SECONDS)
        try:
            answer = json.loads(body)
        except ValueError:
            answer = None
        if code != 200 or not isinstance(answer, dict):
            raise Unavailable(f"GET /version of {pod.name}: status {code}")
        return answer

    def _process(
        self,
        name: str,
        deployment: Resource,
        pods: Sequence[Resource],
        answers: dict[str, PodAnswer],
    ) -> ProcessLive:
        said = [answers[pod.name] for pod in pods]
        wanted = status.desired_replicas(deployment)
        # Both must agree: what it answers us, and what the Services believe.
        ready = sum(1 for pod in pods if answers[pod.name].ready and status.ready(pod))
        enough = 0 < wanted <= ready
        health = Health.HEALTHY if enough else self._not_yet(deployment, pods)
        return ProcessLive(
            name=name,
            pid=status.identity([pod for pod in pods if status.running(pod)]),
            release=_agreed(answer.release for answer in said if answer.release),
            artifact=_agreed(answer.artifact for answer in said if answer.artifact),
            traffic=_agreed(answer.traffic for answer in said if answer.traffic),
            ready=enough,
            health=health,
            message="ready" if enough else _why(deployment, pods, answers, ready, wanted),
            instances=ready,
        )

    def _not_yet(self, deployment: Resource, pods: Sequence[Resource]) -> Health:
        if status.deployment_trouble(deployment) or any(status.trouble(pod)[1] for pod in pods):
            return Health.DEGRADED
        now = datetime.now(UTC)
        youngest = min((status.age_seconds(pod, now) for pod in pods), default=0.0)
        return Health.PROGRESSING if youngest < STARTING_SECONDS else Health.DEGRADED

    # --- measures ----------------------------------------------------------------------------------
    def counters(self, pods: Sequence[Resource]) -> TrafficCounters:
        """Sums over the pods. Raises Unavailable when one of them does not answer."""
        found = [count_requests(self._metrics(pod)) for pod in pods]
        return TrafficCounters(
            sum(one.requests for one in found), sum(one.server_errors for one in found)
        )

    def memory(self, found: SlotObjects) -> dict[str, int]:
        """Of the largest pod of each process, as it says itself; nothing where it says nothing."""
        sizes: dict[str, int] = {}
        for name, pods in found.pods.items():
            for pod in pods:
                try:
                    size = resident_bytes(self._metrics(pod))
                except Unavailable:
                    continue
                if size:
                    sizes[name] = max(size, sizes.get(name, 0))
        return sizes

    def _metrics(self, pod: Resource) -> str:
        code, body = self.reach.get(pod, "/metrics", ANSWER_SECONDS)
        if code != 200:
            raise Unavailable(f"/metrics of {pod.name} answers {code}")
        return body.decode(errors="replace")


def _agreed(words: Any) -> str:
    """What all pods say; what they say differently side by side, which equals no release's."""
    return " and ".join(sorted(set(words)))


def _why(
    deployment: Resource,
    pods: Sequence[Resource],
    answers: dict[str, PodAnswer],
    ready: int,
    wanted: int,
) -> str:
    words = [answers[pod.name].words for pod in pods if not answers[pod.name].ready]
    words += [status.deployment_trouble(deployment)]
    words += ["scaled to 0"] if wanted == 0 else []
    told = "; ".join(dict.fromkeys(one for one in words if one)) or "starting"
    return told if wanted == 1 else f"{ready} of {wanted} pods ready: {told}"


def resident_bytes(text: str) -> int:
    """`process_resident_memory_bytes` in Prometheus' text format; 0 where it is missing."""
    for line in text.splitlines():
        if line.startswith(RESIDENT):
            try:
                return int(float(line.rpartition(" ")[2]))
            except ValueError:
                return 0
    return 0
