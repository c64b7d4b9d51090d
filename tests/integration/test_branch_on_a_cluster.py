"""A branch of an environment on Kubernetes: real releases, real Helm, real git."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.adapters.git import GitOrigin, init_origin
from pipelines.adapters.release_store import LocalReleaseStore
from pipelines.engine.chart_objects import objects, title
from pipelines.flows.render import render_files
from pipelines.model.branch import BranchState
from pipelines.model.errors import BadInput, Refused
from pipelines.model.release import Release
from pipelines.model.slots import Slot, SlotContent
from pipelines.wiring_kubernetes import branch_manifests
from tests.support.tiny_application import ENVIRONMENT, TinyApplication
from tests.unit.check.test_render_charts import CHARTS

CLUSTER = ENVIRONMENT.replace("target: local", "target: kubernetes") + (
    "kubernetes: {namespace: tiny-dev, image: registry.example.com/tiny}\n"
)
NEW_CHART = {"charts/tiny/values.yaml": "processes:\n  api: {replicas: 7}\n"}


class Place:
    """A checkout with charts, its origin, its releases, and dev on a cluster."""

    def __init__(self, folder: Path) -> None:
        self.app = TinyApplication(folder / "checkout")
        self.state = folder / "state"
        self.write({**CHARTS, "environments/dev/environment.yaml": CLUSTER})
        init_origin(self.state, self.app.folder)
        self.origin = GitOrigin(self.state / "origin.git")
        self.store = LocalReleaseStore(self.state)
        self.manifests = branch_manifests(
            "dev", self.state / "dev", self.origin, self.store, lambda: self.origin.settings("dev")
        )

    def write(self, files: dict[str, str]) -> None:
        for path, text in files.items():
            self.app.write(path, text)
        self.app.commit("Change")

    def build(self) -> Release:
        return self.store.build(self.app.folder)

    def commit(self, blue: Release, green: Release | None, active: Slot, expect: str | None) -> str:
        filled = {Slot.BLUE: blue, Slot.GREEN: green}
        state = BranchState(
            "dev",
            active,
            {s: SlotContent(r.id, r.version, r.source_commit) if r else None
             for s, r in filled.items()},
            (),
            *("promotion", "why", "Ada", "op", "2026-03-02T12:00:00+00:00", ""),
        )  # fmt: skip
        releases = {release.id: release for release in filled.values() if release}
        files = render_files(state, releases, self.manifests)
        return self.origin.commit(
            "dev", state, files, expect=expect, subject="Promote", trailers={}
        )

    def head(self) -> str | None:
        head = self.origin.read("dev", None).head
        return head.commit if head else None


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_each_slot_is_rendered_from_its_own_releases_charts_and_read_back_byte_for_byte(
    place: Place,
) -> None:
    first = place.build()
    commit = place.commit(first, None, Slot.BLUE, None)
    place.write(NEW_CHART)
    second = place.build()
    commit = place.commit(first, second, Slot.GREEN, commit)
    replicas = {}
    for slot, release in ((Slot.BLUE, first), (Slot.GREEN, second)):
        path = f"slots/{slot}/manifests.yaml"
        text = place.origin.file("dev", commit, path)
        assert text is not None
        assert place.manifests.of_slot(slot, release) == text
        (deployment,) = objects({path: text})
        assert title(deployment) == f"Deployment tiny-{slot}-api"
        replicas[slot] = deployment.manifest["spec"]["replicas"]
        container = deployment.manifest["spec"]["template"]["spec"]["containers"][0]
        assert container["image"] == f"registry.example.com/tiny:{release.id}"
    assert replicas == {Slot.BLUE: 2, Slot.GREEN: 7}
    edge = place.origin.file("dev", commit, "edge/manifests.yaml") or ""
    assert "slot: green" in edge
    assert place.origin.file("dev", commit, "slots/blue/processes.yaml") is None


def test_a_chart_that_does_not_render_changes_nothing(place: Place) -> None:
    first = place.build()
    commit = place.commit(first, None, Slot.BLUE, None)
    place.write({"charts/tiny/templates/bad.yaml": "a: {{ .Values.nope.deeper }}\n"})
    second = place.build()
    with pytest.raises(BadInput, match="nil pointer"):
        place.commit(first, second, Slot.GREEN, commit)
    assert place.head() == commit


def test_a_secret_never_comes_to_the_branch(place: Place) -> None:
    # not-a-secret: a planted one
    secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\nstringData: {a: hush-hush}\n"
    place.write({"charts/edge/templates/secret.yaml": secret})
    release = place.build()
    with pytest.raises(Refused, match="for everybody to read") as refused:
        place.commit(release, None, Slot.BLUE, None)
    assert "hush" not in str(refused.value)
    with pytest.raises(Refused):
        place.manifests.candidate(release, Slot.BLUE)
    assert place.head() is None


def test_a_release_from_before_the_charts_is_refused(place: Place) -> None:
    place.app.git("rm", "-rq", "charts")
    place.app.commit("Without charts")
    release = place.build()
    with pytest.raises(BadInput, match="has no chart charts/tiny") as refused:
        place.commit(release, None, Slot.BLUE, None)
    assert "built with the charts" in refused.value.hint
    assert place.head() is None


def test_with_git_away_a_slot_is_filled_again_with_what_it_ran(place: Place) -> None:
    release = place.build()
    place.commit(release, None, Slot.BLUE, None)
    before = (
        place.manifests.of_slot(Slot.BLUE, release),
        place.manifests.of_edge(Slot.BLUE, release),
    )
    (place.state / "origin.git").rename(place.state / "away.git")
    again = branch_manifests(
        "dev", place.state / "dev", place.origin, place.store, lambda: place.origin.settings("dev")
    )
    assert (again.of_slot(Slot.BLUE, release), again.of_edge(Slot.BLUE, release)) == before


def test_a_release_that_lost_its_charts_says_how_to_bring_them_back(place: Place) -> None:
    release = place.build()
    place.store.source(release).rename(place.state / "gone")
    with pytest.raises(Refused, match="has lost its charts") as refused:
        place.store.source(replace(release))
    assert release.source_commit in refused.value.hint
