"""What the benchmarks share: one installation, two good releases, warm slots."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from bench.kubernetes_place import standing_cluster
from tests.cluster.standing import Standing
from tests.harness.fixtures import begin
from tests.harness.installation import Answer, Installation, clone
from tests.harness.releases import other_release, two_releases
from tests.kubernetes.cluster_installation import ClusterInstallation
from tests.kubernetes.released import on_a_cluster


@dataclass
class Bench:
    """`quick` measures the same with far fewer repetitions."""

    quick: bool
    root: Path
    _installation: Installation | None = None
    _cluster: Standing | None = None
    _released: ClusterInstallation | None = None
    _ends: ExitStack = field(default_factory=ExitStack)

    @property
    def installation(self) -> Installation:
        """Made at first use."""
        if self._installation is None:
            made = begin(Installation(clone(self.root / "checkout"), self.root / "state"))
            self._installation = made
            code, output, _ = made.make_up()
            if code:
                raise RuntimeError(f"make up → {code}\n{output}")
        return self._installation

    @property
    def cluster(self) -> Standing:
        """A test cluster, standing before or made at first use."""
        if self._cluster is None:
            self._cluster = self._ends.enter_context(standing_cluster())
        return self._cluster

    @property
    def released(self) -> ClusterInstallation:
        """An installation whose dev is on the cluster, its first release active."""
        if self._released is None:
            self._released = self._ends.enter_context(on_a_cluster(self.cluster))
        return self._released

    def times(self, full: int, quick: int) -> int:
        return quick if self.quick else full

    def prepare(self, environment: str = "dev") -> None:
        """Both good releases have been active: either is a warm way back."""
        self.lift_holds(environment)
        active = self.installation.agreement(environment).row()["release"]
        pair = two_releases(self.installation)
        for release in pair if active not in pair else [r for r in pair if r != active]:
            self.demand(self.installation.promote(environment, release))

    def switch(self, environment: str = "dev") -> Answer:
        """Promote whichever of the two good releases is not active."""
        release = other_release(self.installation, environment)
        return self.demand(self.installation.promote(environment, release))

    def lift_holds(self, environment: str = "dev") -> None:
        for hold in self.installation.agreement(environment).branch()["holds"]:
            self.installation.run("unhold", environment, hold["release"], "--reason", "bench")

    @staticmethod
    def demand(answer: Answer) -> Answer:
        if answer.code:
            raise RuntimeError(str(answer))
        return answer

    def close(self) -> None:
        if self._installation is not None:
            self._installation.remove()
            self._installation = None
        self._ends.close()


@contextmanager
def bench(*, quick: bool) -> Iterator[Bench]:
    """A bench in a folder of its own; everything it started is ended."""
    root = Path(tempfile.mkdtemp(prefix="slipway-bench-"))
    root.chmod(0o755)  # the PostgreSQL user passes through when run as root
    made = Bench(quick, root)
    try:
        yield made
    finally:
        made.close()
        shutil.rmtree(root, ignore_errors=True)
