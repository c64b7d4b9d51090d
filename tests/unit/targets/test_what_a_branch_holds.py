"""What the branch of an environment on Kubernetes holds, and what a slot is given of it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine import charts as engine
from pipelines.flows.difference import _of_objects
from pipelines.flows.render import render_files
from pipelines.model.branch import BranchHead, BranchReading, BranchState
from pipelines.model.environment import ARGO_CD, EnvironmentSettings, KubernetesSettings
from pipelines.model.errors import BadInput, Unavailable
from pipelines.model.slots import Slot, SlotContent
from pipelines.targets.kubernetes.manifests import BranchManifests
from tests.support.manifests import PLACE, Mirror, charts, release, settings, told

FIRST, SECOND = release("r-1", speed=1), release("r-2", speed=2)
STATE = BranchState(
    "dev",
    Slot.GREEN,
    {Slot.BLUE: SlotContent("r-1", "1", "c"), Slot.GREEN: SlotContent("r-2", "2", "d")},
    (),
    *("promotion", "why", "Ada", "op", "now", "d"),
)
RELEASES = {"r-1": FIRST, "r-2": SECOND}


class Branch:
    """A branch in memory: what was committed last, and whether git answers."""

    def __init__(self) -> None:
        self.state: BranchState | None = None
        self.files: dict[str, str] = {}
        self.away = False
        self.commit = "c1"

    def read(self, environment: str, known_commit: str | None) -> BranchReading:
        if self.away:
            return BranchReading(trouble="unreachable", detail="gone")
        if self.state is None:
            return BranchReading(trouble="absent")
        return BranchReading(head=BranchHead(self.commit, None, self.state))

    def file(self, environment: str, commit: str, path: str) -> str | None:
        return self.files.get(path)


class Place:
    """One environment: its branch, and the releases' charts."""

    def __init__(self, folder: Path, place: KubernetesSettings = PLACE) -> None:
        self.branch = Branch()
        self.source = charts(folder / "source")
        self.copies = folder / "manifests"
        self.place = place
        self.manifests = BranchManifests(
            "dev",
            branches=self.branch,
            settings=lambda: self.settings(),
            source=lambda release: self.source,
            renderer=Mirror,
            copies=self.copies,
        )

    def settings(self) -> EnvironmentSettings:
        if self.branch.away:
            raise Unavailable("the origin cannot be read")
        return settings(self.place)

    def commit(self, state: BranchState = STATE) -> dict[str, str]:
        self.branch.files = render_files(state, RELEASES, self.manifests)
        self.branch.state = state
        return self.branch.files


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_the_branch_holds_both_slots_and_what_stands_in_front(place: Place) -> None:
    files = place.commit()
    assert set(files) == {
        "slots/blue/manifests.yaml", "slots/green/manifests.yaml", "edge/manifests.yaml",
    }  # fmt: skip
    said = told(files["slots/green/manifests.yaml"])
    assert (said["slot"], said["release"]["id"], said["speed"]) == ("green", "r-2", 2)
    assert told(files["slots/blue/manifests.yaml"])["release"]["id"] == "r-1"
    assert told(files["edge/manifests.yaml"])["activeSlot"] == "green"


def test_a_slot_that_is_empty_is_left_out(place: Place) -> None:
    files = place.commit(replace(STATE, slots={**STATE.slots, Slot.BLUE: None}))
    assert set(files) == {"slots/green/manifests.yaml", "edge/manifests.yaml"}


def test_one_set_without_slots_is_refused_before_it_is_rendered(place: Place) -> None:
    rolling = release("r-2", strategy="rollingUpdate")
    (place.source / "charts/tiny/broken").touch()
    for ask in (
        lambda: render_files(STATE, {"r-1": FIRST, "r-2": rolling}, place.manifests),
        lambda: place.manifests.candidate(rolling, Slot.BLUE),
        lambda: place.manifests.of_slot(Slot.BLUE, rolling),
        lambda: place.manifests.of_edge(Slot.BLUE, rolling),
    ):
        with pytest.raises(BadInput, match=r"values of dev in release r-2.*rollingUpdate") as said:
            ask()
        assert "environments/{base,dev}/values.yaml" in said.value.hint


def test_on_one_machine_the_branch_holds_processes_as_before() -> None:
    files = render_files(STATE, RELEASES)
    assert set(files) == {"slots/blue/processes.yaml", "slots/green/processes.yaml"}


def test_a_chart_is_told_what_only_the_promotion_knows(place: Place) -> None:
    said = told(place.commit()["slots/green/manifests.yaml"])
    assert said["image"] == {"repository": "registry.example.com/tiny", "tag": "r-2"}
    assert said["processes"] == {
        "api": {"args": ["serve", "api"], "live": True},
        "trader": {"args": ["serve", "trader"], "live": False},
    }
    assert said["release"]["commit"] == "c" * 40
    assert said["release"]["migrations"] == engine.migrations_digest(SECOND)
    assert (said["application"], said["module"], said["environment"]) == ("tiny", "tiny", "dev")
    assert "engineImage" not in said, "the chart's own"


def test_hooks_belong_to_the_slot_that_shall_become_active_and_to_argo_cd(tmp_path: Path) -> None:
    enabled = {}
    for controller in ("slipway", ARGO_CD):
        place = Place(tmp_path / controller, replace(PLACE, controller=controller))
        for path, text in place.commit().items():
            enabled[controller, path.split("/")[-2]] = told(text).get("hooks", {}).get("enabled")
    assert [key for key, on in enabled.items() if on] == [(ARGO_CD, "green")]


def test_values_may_switch_hooks_off_and_say_more_about_a_process() -> None:
    own = release("r-1", hooks={"enabled": False}, processes={"api": {"replicas": 5}})
    where = replace(PLACE, controller=ARGO_CD, engine_image="e/x", engine_tag="7")
    layers = engine.chart_values(own, settings(where), Slot.BLUE, hooks=True)
    assert layers[0] is own.values["dev"]
    assert layers[1]["hooks"]["enabled"] is False
    assert layers[1]["engineImage"] == {"repository": "e/x", "tag": "7"}


@given(order=st.permutations([f"0{n}" for n in range(5)]))
def test_equal_migrations_have_equal_names_and_others_another(order: list[str]) -> None:
    one = replace(FIRST, migrations=tuple(order))
    two = replace(FIRST, migrations=tuple(sorted(order)))
    same = one.migrations == two.migrations
    assert (engine.migrations_digest(one) == engine.migrations_digest(two)) is same


def test_a_release_without_charts_is_refused_before_anything_is_committed(place: Place) -> None:
    (place.source / "charts/tiny/Chart.yaml").unlink()
    with pytest.raises(BadInput, match=r"release r-1 .* has no chart charts/tiny"):
        place.commit()
    assert place.branch.state is None


def test_a_rendering_without_end_is_refused(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "LARGEST_BYTES", 100)
    with pytest.raises(BadInput, match="at most 100 are committed"):
        place.commit()


def test_the_same_state_is_rendered_to_the_same_bytes(place: Place) -> None:
    assert place.commit() == place.commit()


# --- what a slot is given -------------------------------------------------------------------------


def test_a_slot_is_given_the_very_text_of_the_branch(place: Place) -> None:
    place.commit()
    place.branch.files["slots/blue/manifests.yaml"] += "# of an older engine\n"
    assert place.manifests.of_slot(Slot.BLUE, FIRST).endswith("# of an older engine\n")
    assert place.manifests.of_edge(Slot.GREEN, SECOND) == place.branch.files["edge/manifests.yaml"]


def test_a_release_that_the_branch_does_not_name_there_is_rendered_without_hooks(
    tmp_path: Path,
) -> None:
    place = Place(tmp_path, replace(PLACE, controller=ARGO_CD))
    place.commit()
    said = told(place.manifests.of_slot(Slot.GREEN, FIRST))
    assert (said["release"]["id"], said["slot"], said["hooks"]["enabled"]) == (
        "r-1",
        "green",
        False,
    )
    assert told(place.manifests.of_edge(Slot.BLUE, FIRST))["activeSlot"] == "blue"


def test_what_stands_in_front_is_that_of_the_active_release_wherever_its_services_lead(
    place: Place,
) -> None:
    place.commit()
    edge = place.branch.files["edge/manifests.yaml"]
    assert place.manifests.of_edge(Slot.BLUE, SECOND) == edge
    place.branch.away = True
    assert place.manifests.of_edge(Slot.GREEN, SECOND) == edge


def test_a_new_commit_is_read_anew(place: Place) -> None:
    place.commit()
    first = place.manifests.of_slot(Slot.BLUE, FIRST)
    place.branch.commit = "c2"
    place.branch.files = {**place.branch.files, "slots/blue/manifests.yaml": "# other\n"}
    assert place.manifests.of_slot(Slot.BLUE, FIRST) == "# other\n" != first


def test_with_git_away_a_slot_is_given_what_it_was_given_last(place: Place) -> None:
    place.commit()
    before = place.manifests.of_slot(Slot.BLUE, FIRST)
    place.branch.away = True
    assert place.manifests.of_slot(Slot.BLUE, FIRST) == before
    with pytest.raises(Unavailable):
        place.manifests.of_slot(Slot.GREEN, FIRST)


def test_copies_of_releases_that_went_go_too(place: Place) -> None:
    place.commit()
    place.manifests.of_slot(Slot.BLUE, FIRST)
    place.manifests.of_slot(Slot.GREEN, SECOND)
    place.manifests.forget(["r-2"])
    assert [copy.name for copy in place.copies.iterdir()] == ["r-2.green.yaml"]


# --- what a promotion would change ----------------------------------------------------------------


def test_a_candidate_is_compared_as_if_both_came_to_one_slot(place: Place) -> None:
    blue, green = (place.manifests.candidate(FIRST, slot) for slot in Slot)
    assert told(blue["slots/blue/manifests.yaml"])["slot"] == "blue"
    assert blue != green
    found = _of_objects(place.manifests, FIRST, SECOND, Slot.GREEN)
    assert "speed: 1" in found
    assert "+++ candidate r-2: ConfigMap tiny-green" in found
    assert "slot: blue" not in found
    assert _of_objects(place.manifests, FIRST, FIRST, Slot.GREEN) == ""
