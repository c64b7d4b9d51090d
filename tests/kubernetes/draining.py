"""A node that is drained, as somebody does who mends it."""

from __future__ import annotations

import subprocess
import threading

from tests.kubernetes.cluster_installation import ClusterInstallation


class Draining:
    """`kubectl drain` of the node for the pods that serve one release, in a thread, for the block.

    `done` is set when it ended well. While it goes on nothing new starts on the node.
    """

    def __init__(self, made: ClusterInstallation, release: str) -> None:
        (self.node,) = {pod["spec"]["nodeName"] for pod in made.objects("pods")}
        chosen = f"slipway.dev/release={release},app.kubernetes.io/component=api"
        self._words = ("drain", self.node, f"--pod-selector={chosen}", "--delete-emptydir-data",
                       "--ignore-daemonsets", "--timeout=150s")  # fmt: skip
        self._made, self.done = made, threading.Event()
        self._thread = threading.Thread(target=self._drain)

    def _drain(self) -> None:
        ended: subprocess.CompletedProcess[str] = self._made.cluster.kubectl(
            *self._words, seconds=160
        )
        if ended.returncode == 0:
            self.done.set()

    def let_start(self) -> None:
        """Pods may start on the node again."""
        self._made.cluster.must("uncordon", self.node)

    def __enter__(self) -> Draining:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.let_start()
        self._thread.join(170)
