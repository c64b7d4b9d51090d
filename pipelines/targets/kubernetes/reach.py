"""Asking a pod: at its own address where this machine reaches it, else through the API server."""

from __future__ import annotations

import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from pipelines.model.errors import SlipwayError, Unavailable
from pipelines.model.live import ProbeSamples
from pipelines.model.resource import Resource
from pipelines.targets.kubernetes import pods
from pipelines.targets.kubernetes.cluster import ApiRefused, Cluster
from pipelines.targets.kubernetes.layout import HTTP_PORT
from pipelines.targets.local.ports import Http

DIRECT_SECONDS = 0.5
TRY_AGAIN_SECONDS = 60.0
PROBE_SECONDS = 1.0
PROBING_THREADS = 32


class Reach:
    """Inside the cluster and on its nodes the direct way works and is faster; elsewhere the API
    server's proxy answers. Which one is found out by asking."""

    def __init__(self, cluster: Cluster, http: Http, namespace: str) -> None:
        self.cluster, self.http, self.namespace = cluster, http, namespace
        self._no_way_until = 0.0

    def get(self, pod: Resource, path: str, seconds: float) -> tuple[int, bytes]:
        """Status and body. Raises Unavailable when nothing answers in time."""
        address = pods.ip(pod)
        if not address:
            raise Unavailable(f"{pod.name} has no address yet")
        if time.monotonic() >= self._no_way_until:
            try:
                return self.http.get(
                    f"tcp:{address}:{HTTP_PORT}", path, min(seconds, DIRECT_SECONDS)
                )
            except Unavailable as direct:
                answer = self._proxied(pod, path, seconds)
                if answer[0] == 403:  # a hook's account: the direct way is its only one
                    raise direct
                # The proxy says 502 to 504 for a pod that does not answer it either.
                if answer[0] not in (502, 503, 504):
                    self._no_way_until = time.monotonic() + TRY_AGAIN_SECONDS
                return answer
        return self._proxied(pod, path, seconds)

    def _proxied(self, pod: Resource, path: str, seconds: float) -> tuple[int, bytes]:
        try:
            return self.cluster.pod_request(self.namespace, pod.name, HTTP_PORT, path, seconds)
        except ApiRefused as error:
            raise Unavailable(f"GET {path} of {pod.name}: {error.message}") from None

    def probe(
        self, chosen: Sequence[Resource], path: str, *, count: int, per_second: float
    ) -> ProbeSamples:
        """As `Http.probe`, but the questions go round the pods through `get`."""
        began = time.monotonic()

        def once(number: int) -> float | str:
            time.sleep(max(0.0, began + number / per_second - time.monotonic()))
            asked = time.monotonic()
            if not chosen:
                return "no pod is ready"
            try:
                status, _ = self.get(chosen[number % len(chosen)], path, PROBE_SECONDS)
            except SlipwayError as error:
                return error.message
            return f"status {status}" if status >= 500 else time.monotonic() - asked

        with ThreadPoolExecutor(min(PROBING_THREADS, max(1, count))) as pool:
            results = list(pool.map(once, range(count)))
        errors = [one for one in results if isinstance(one, str)]
        return ProbeSamples(
            latencies_seconds=tuple(one for one in results if isinstance(one, float)),
            errors=len(errors),
            error_examples=tuple(dict.fromkeys(errors))[:5],
        )
