"""The application's commands: in a running pod of the release, else in a Job of its image."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from typing import Any

from pipelines.model.errors import Refused, SlipwayError, Unavailable
from pipelines.model.release import Release
from pipelines.model.resource import Resource
from pipelines.model.slots import Slot
from pipelines.targets.kubernetes import pods as status
from pipelines.targets.kubernetes.cluster import ApiRefused, Cluster, ExecResult
from pipelines.targets.kubernetes.jobs import answer_in, job_objects, owned
from pipelines.targets.kubernetes.layout import COMMAND_LABEL, RELEASE_LABEL, Place
from pipelines.targets.kubernetes.observation import Observer
from pipelines.targets.kubernetes.ports import Manifests
from pipelines.targets.local.ports import CommandResult

POLL_SECONDS = 0.1
START_SECONDS = 60.0
"""An image that is pulled for the first time takes so long; the command's own limit comes on top."""
LINES = 2000
NEVER_STARTED = (126, 127)
"""Exit codes of a program that could not be started."""


class Commands:
    def __init__(
        self, place: Place, cluster: Cluster, manifests: Manifests, observer: Observer
    ) -> None:
        self.place, self.cluster = place, cluster
        self.manifests, self.observer = manifests, observer

    def run(
        self,
        release: Release,
        slot: Slot,
        command: str,
        args: Sequence[str],
        timeout_seconds: float,
    ) -> CommandResult:
        """Raises Unavailable when neither way could start it; Refused when the cluster says no."""
        words = [*release.application.commands[command], *args, "--output", "json"]
        for pod in self._pods(release, slot):
            found = self._in_pod(pod, release, words, timeout_seconds)
            if found is not None:
                return found
        return self.in_job(release, slot, command, words, timeout_seconds)

    # --- in a pod ----------------------------------------------------------------------------------
    def _pods(self, release: Release, slot: Slot) -> Sequence[Resource]:
        """Running pods of this very release in the slot, ready ones first; two tries are enough."""
        running = [
            pod
            for pod in self.observer.objects(slot).every_pod
            if pod.labels.get(RELEASE_LABEL) == release.id and status.running(pod)
        ]
        return sorted(running, key=lambda pod: not status.ready(pod))[:2]

    def _in_pod(
        self, pod: Resource, release: Release, words: Sequence[str], timeout_seconds: float
    ) -> CommandResult | None:
        """None when the command cannot have started there."""
        argv = [*interpreter(pod), "-m", release.application.module, *words]
        container = status.container_name(pod)
        try:
            ended = self.cluster.exec(
                self.place.namespace, pod.name, container, argv, timeout_seconds
            )
        except (ApiRefused, Unavailable):
            return None
        return None if ended.code in NEVER_STARTED else _result(ended)

    # --- in a Job ----------------------------------------------------------------------------------
    def in_job(
        self,
        release: Release,
        slot: Slot,
        command: str,
        words: Sequence[str],
        timeout_seconds: float,
    ) -> CommandResult:
        desired = self.manifests.slot(slot, release)
        process = release.application.processes[0].name
        pod = Resource(self.place.deployment_of(desired, process).manifest["spec"]["template"])
        argv = [*interpreter(pod), "-m", release.application.module, *words]
        suffix = secrets.token_hex(3)
        job, maps = job_objects(
            self.place,
            desired,
            process,
            name=f"{self.place.application}-{command}-{release.id[-8:]}-{suffix}",
            command=command,
            argv=argv,
            seconds=timeout_seconds + START_SECONDS,
        )
        self._end_former(command)
        made = self._create(job, maps)
        try:
            return self._wait(made, timeout_seconds)
        finally:
            self.cluster.delete(made.key)

    def _create(self, job: Resource, maps: Sequence[Resource]) -> Resource:
        """The maps first name a Job that is there, so that they go with it; its pod waits for them."""
        try:
            made = self.cluster.create(job.manifest)
            for one in maps:
                self.cluster.create(owned(one, made).manifest)
        except ApiRefused as refused:
            raise Refused(
                f"{job.key} cannot be made: {refused.message}", hint=refused.hint
            ) from None
        return made

    def _end_former(self, command: str) -> None:
        """A Job of the same command whose controller died: two of them would race."""
        left, _ = self.cluster.list(
            "batch", "Job", namespace=self.place.namespace, labels={COMMAND_LABEL: command}
        )
        for one in left:
            self.cluster.delete(one.key)

    def _wait(self, job: Resource, timeout_seconds: float) -> CommandResult:
        began, started = time.monotonic(), 0.0
        while True:
            pod = self._pod_of(job)
            state = _main_state(pod) if pod else {}
            if pod and "terminated" in state:
                return self._ended(pod, int(state["terminated"].get("exitCode") or 0))
            now = time.monotonic()
            if "running" in state and not started:
                started = now
            if started and now - started > timeout_seconds:
                return CommandResult(None, None, "")
            if not started and now - began > START_SECONDS:
                raise Unavailable(f"{job.key} did not start in {START_SECONDS:g} s: {_why(pod)}")
            self._refuse_hopeless(job, pod)
            time.sleep(POLL_SECONDS)

    def _refuse_hopeless(self, job: Resource, pod: Resource | None) -> None:
        if pod is None:
            return
        missing = status.missing_image(pod)
        if missing:
            image, why = missing
            words = f"the cluster has no image {image}, and cannot pull it: {why}"
            raise Unavailable(words, hint=status.how_to_make(image))
        words, hopeless = status.trouble(pod)
        if hopeless or status.status(pod).get("phase") == "Failed":
            raise Unavailable(f"{job.key} cannot run: {words or 'its pod failed'}")

    def _pod_of(self, job: Resource) -> Resource | None:
        found, _ = self.cluster.list(
            "", "Pod", namespace=self.place.namespace, labels={"job-name": job.name}
        )
        return found[0] if found else None

    def _ended(self, pod: Resource, code: int) -> CommandResult:
        try:
            log = self.cluster.logs(
                self.place.namespace, pod.name, status.container_name(pod), lines=LINES
            )
        except SlipwayError as error:
            log = error.message
        answer, words = answer_in(log)
        return CommandResult(code, answer, words)


def interpreter(pod: Resource) -> list[str]:
    """The image's Python, as the pod's own command names it (`[python, -m, module]`)."""
    command = pod.manifest["spec"]["containers"][0].get("command") or ["python"]
    return [str(command[0])]


def _main_state(pod: Resource) -> dict[str, dict[str, Any]]:
    found = status.status(pod).get("containerStatuses") or ()
    return dict(found[0].get("state") or {}) if found else {}


def _why(pod: Resource | None) -> str:
    return (status.trouble(pod)[0] or "starting") if pod else "it has no pod"


def _result(ended: ExecResult) -> CommandResult:
    answer, _ = answer_in(ended.stdout)
    return CommandResult(ended.code, answer, ended.stderr)
