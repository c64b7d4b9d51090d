"""A cluster tests may use: one made here, or one that KUBECONFIG names."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import yaml

from tests.cluster import images, lifecycle, tools
from tests.cluster.errors import ClusterError, Missing, NotReady
from tests.cluster.folder import Folder
from tests.cluster.say import say

TEST_NAMES = ("test", "kind-", "k3d-")
"""One of these is in the name of a context whose cluster tests may change."""


@dataclass(frozen=True, slots=True)
class Standing:
    """`folder` is None for a cluster that was not made here."""

    kubeconfig: Path
    context: str
    folder: Folder | None

    def kubectl(
        self, *words: str, feed: str | None = None, seconds: float = 60.0
    ) -> subprocess.CompletedProcess[str]:
        """Run it on this cluster; the caller looks at the return code."""
        program = tools.program("kubectl")
        name = str(program) if program.exists() else "kubectl"
        argv = [name, f"--kubeconfig={self.kubeconfig}", f"--context={self.context}", *words]
        return subprocess.run(
            argv, input=feed, capture_output=True, text=True, check=False, timeout=seconds
        )

    def must(self, *words: str, feed: str | None = None, seconds: float = 60.0) -> str:
        """What it wrote. Raises ClusterError with what it said when it failed."""
        done = self.kubectl(*words, feed=feed, seconds=seconds)
        if done.returncode:
            raise ClusterError(f"kubectl {' '.join(words)}: {done.stderr.strip()[-800:]}")
        return done.stdout

    def apply(self, text: str) -> str:
        """Manifests (YAML or JSON), server-side."""
        return self.must("apply", "--server-side", "--force-conflicts", "-f", "-", feed=text)

    def until(self, what: str, holds: Callable[[], bool], seconds: float = 60.0) -> float:
        """Seconds it took, to half a second: each look is a process. Raises NotReady."""
        began = time.monotonic()
        while not holds():
            if time.monotonic() - began > seconds:
                raise NotReady(f"{what}: not within {seconds:.0f} s")
            time.sleep(0.5)
        return time.monotonic() - began

    def load(self, archive: Path) -> list[str]:
        """Bring an image in. Raises ClusterError on a cluster that was not made here."""
        if self.folder is None:
            hint = "import it with that cluster's own tool, such as `kind load image-archive`"
            raise ClusterError(f"images of {self.context} are not ours to change", hint)
        return images.load(self.folder, archive)


def given() -> Standing | None:
    """What KUBECONFIG names, unless that is the cluster made here.

    Raises Missing when its context is not named as a test cluster.
    """
    path = os.environ.get("KUBECONFIG")
    if not path or Path(path) == Folder.chosen().kubeconfig or _made_here(Path(path)):
        return None
    try:
        content = yaml.safe_load(Path(path).read_text("utf-8"))
    except (OSError, yaml.YAMLError) as problem:
        raise Missing(f"KUBECONFIG={path} cannot be read: {problem}", "unset KUBECONFIG") from None
    context = str((content or {}).get("current-context") or "")
    if not any(name in context for name in TEST_NAMES):
        raise Missing(
            f"context {context!r} of {path} is not named as a test cluster",
            f"its name must contain one of: {', '.join(TEST_NAMES)}; or unset KUBECONFIG",
        )
    return Standing(Path(path), context, None)


def _made_here(kubeconfig: Path) -> bool:
    return kubeconfig.name == "kubeconfig" and (kubeconfig.parent / "cluster.json").exists()


def of(folder: Folder) -> Standing:
    """The cluster made in that folder. Raises ClusterError when there is none."""
    if folder.facts() is None:
        raise ClusterError(f"no cluster in {folder.path}", "make cluster-up")
    return Standing(folder.kubeconfig, "slipway-test", folder)


def up(folder: Folder) -> Standing:
    """The given cluster when it answers, else one made in `folder`."""
    found = given()
    if found is None:
        lifecycle.up(folder)
        return of(folder)
    said = found.kubectl("get", "nodes", "--request-timeout=10s")
    if said.returncode:
        raise NotReady(
            f"{found.context} does not answer: {said.stderr.strip()}", "unset KUBECONFIG"
        )
    say(f"using {found.context} of {found.kubeconfig}")
    return found
