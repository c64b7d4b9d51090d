"""A person agrees to prunes of a commit by an annotation, and the syncer in the cluster goes on."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from pipelines.engine.sync.application_yaml import Application
from pipelines.model.resource import Resource
from pipelines.model.sync import SyncSettings
from pipelines.targets.kubernetes.application_sync import ApplicationSync
from pipelines.targets.kubernetes.branch_watch import Wanted
from pipelines.targets.kubernetes.sync_run import Syncer
from pipelines.targets.kubernetes.sync_states import CONFIRMED, SyncStates, confirmed, key_in
from tests.unit.kubernetes.memory import NAMESPACE, MemoryCluster, config, soon

COMMIT = "0123456789ab" + "c" * 28
SETTINGS = SyncSettings("slots", NAMESPACE, prune=True, allow_empty=True, automated=True)
HELD = {
    "argocd.argoproj.io/tracking-id": f"slots:/ConfigMap:{NAMESPACE}/old",
    "argocd.argoproj.io/sync-options": "Prune=confirm",
}


class Branch:
    def newest(self, _: str) -> Wanted:
        return Wanted(COMMIT, (config("new"),), "sha256:1")

    def wait(self, _: str, seconds: float) -> None:
        threading.Event().wait(min(seconds, 0.05))


@dataclass
class Town:
    """One Application whose branch no longer has what asks for confirmation."""

    seconds: float
    cluster: MemoryCluster = field(default_factory=MemoryCluster)
    leaving: threading.Event = field(default_factory=threading.Event)
    lines: list[str] = field(default_factory=list)

    def start(self) -> None:
        self.cluster.by_hand(config("old"), annotations=HELD)
        cluster = cast(Any, self.cluster)
        application = Application(
            SETTINGS, *("default", "ssh://git", "env/dev", "slots", True, "", 10, ())
        )
        sync = ApplicationSync(
            application, Syncer(cluster, SETTINGS),
            SyncStates(cluster, NAMESPACE, "dev", self.lines.append),
            cast(Any, Branch()), self.leaving, self.lines.append,
            ours=("slots",), operation_seconds=self.seconds,
        )  # fmt: skip
        self.thread = threading.Thread(target=sync.run, daemon=True)
        self.thread.start()

    def confirm(self, word: str) -> None:
        live = self.cluster.objects[key_in(NAMESPACE)]
        self.cluster.by_hand(live, annotations={**live.annotations, CONFIRMED: word})

    def said(self, words: str) -> bool:
        return any(words in line for line in self.lines)

    def pruned(self) -> bool:
        return config("old").key not in self.cluster.objects


@pytest.fixture
def towns() -> Iterator[list[Town]]:
    made: list[Town] = []
    yield made
    for town in made:
        town.leaving.set()
        town.thread.join(10)


@pytest.mark.parametrize("word", [COMMIT, COMMIT[:12]], ids=["the commit", "as the log shows it"])
def test_the_sync_that_waits_says_what_to_type_and_goes_on(towns: list[Town], word: str) -> None:
    towns.append(town := Town(seconds=30))
    town.start()
    assert soon(lambda: town.said("waiting for pruning confirmation")), town.lines
    assert town.said(f"configmap slipway-sync {CONFIRMED}={COMMIT[:12]}")
    assert not town.pruned()
    town.confirm(word)
    assert soon(lambda: town.said("Succeeded")), town.lines
    assert town.pruned()


def test_one_that_waited_in_vain_is_tried_again_when_somebody_confirms(towns: list[Town]) -> None:
    towns.append(town := Town(seconds=1))
    town.start()
    assert soon(lambda: town.said("Failed")), town.lines
    town.confirm(COMMIT)
    assert soon(town.pruned), town.lines


@pytest.mark.parametrize("word", ["", COMMIT[:7], "d" * 40, f"{COMMIT}0"])
def test_a_word_about_another_commit_confirms_nothing(word: str) -> None:
    live = Resource(
        {**config("slipway-sync").manifest, "metadata": {"annotations": {CONFIRMED: word}}}
    )
    assert not confirmed(live, COMMIT)
    assert not confirmed(None, COMMIT)
