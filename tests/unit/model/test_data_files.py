"""Files that people write: what is understood, and what is refused with file, key, value, remedy."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.model import application_yaml, environment_yaml, yaml_strict
from pipelines.model.branch import BranchState, Hold
from pipelines.model.errors import BadInput
from pipelines.model.release_yaml import KINDS, parse, render
from pipelines.model.slots import Slot, SlotContent
from pipelines.model.values import merge

SETTINGS = "target: local\nsoak_seconds: 30\nrollback_window_hours: 24\nreason_required: true\n"
APPLICATION = """
name: trading
module: trading
processes:
  api:    {args: [serve, api],    sockets: [live, slot]}
  trader: {args: [serve, trader], sockets: [control]}
services:
  venue:  {args: [serve, venue], socket: venue}
commands:
  migrate: [migrate]
  why: [why]
"""

# --- YAML ------------------------------------------------------------------------------------

_ALIASES = "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        pytest.param("a: [1\n", "not YAML", id="broken"),
        pytest.param("a: 1\nb: 2\na: 3\n", "line 3: key 'a' is there twice", id="duplicate"),
        pytest.param(
            "x:\n  a: 1\n  a: 1\n", "line 3: key 'a' is there twice", id="duplicate below"
        ),
        pytest.param("on: 1\n", "key True is not text", id="key that is a boolean"),
        pytest.param("? [1, 2]\n: 3\n", "is not text", id="key that is a list"),
        pytest.param(_ALIASES, "anchors and aliases are refused", id="alias bomb"),
        pytest.param("a: !!python/object:os.system x\n", "tag", id="tag"),
        pytest.param("a: !include /etc/passwd\n", "tag", id="own tag"),
        pytest.param("a: 1\n---\nb: 2\n", "a second document", id="two documents"),
        pytest.param("[" * 5000, "nested deeper", id="deep"),
        pytest.param("a: .nan\n", "a: nan is not a number", id="nan"),
        pytest.param("a: [1, -.inf]\n", r"a\[1\]: -inf is not a number", id="infinity"),
        pytest.param("a: \x07\n", "not YAML", id="control character"),
        pytest.param("x" * 1_000_001, "larger than 1,000,000 bytes", id="over a megabyte"),
        pytest.param("- 1\n", "a mapping is needed, found list", id="a list"),
        pytest.param("text", "a mapping is needed, found str", id="a text"),
    ],
)
def test_yaml_that_could_surprise_is_refused_by_name(text: str, said: str) -> None:
    with pytest.raises(BadInput, match=said) as refused:
        yaml_strict.load_mapping(text, "some/file.yaml")
    assert "some/file.yaml" in refused.value.message
    assert refused.value.exit_code == 2


def test_dates_stay_text_and_an_empty_file_is_an_empty_mapping() -> None:
    assert yaml_strict.load_mapping("at: 2026-03-02\n", "f") == {"at": "2026-03-02"}
    assert yaml_strict.load_mapping("", "f") == {}


_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)
_NAMES = st.text("abcdef0123456789-", min_size=1, max_size=20)


# --- release.yaml ------------------------------------------------------------------------------

_CONTENTS = st.builds(SlotContent, release=_NAMES, version=_NAMES, source_commit=_TEXT)
_HOLDS = st.builds(Hold, release=_NAMES, reason=_TEXT, actor=_TEXT, at=_TEXT)


@st.composite
def branch_states(draw: st.DrawFn) -> BranchState:
    active = draw(st.sampled_from(Slot))
    return BranchState(
        environment=draw(st.sampled_from(["dev", "staging", "production"])),
        active=active,
        slots={active: draw(_CONTENTS), active.other: draw(st.none() | _CONTENTS)},
        holds=tuple(draw(st.lists(_HOLDS, max_size=3))),
        kind=draw(st.sampled_from(KINDS)),
        reason=draw(_TEXT),
        actor=draw(_TEXT),
        operation=draw(_TEXT),
        at=draw(_TEXT),
        audit_head=draw(_TEXT),
    )


@settings(max_examples=150, deadline=None)
@given(state=branch_states())
def test_a_branch_state_comes_back_from_its_text(state: BranchState) -> None:
    assert parse(render(state)) == state


STATE = BranchState(
    "dev",
    Slot.BLUE,
    {Slot.BLUE: SlotContent("r-1", "1", "c"), Slot.GREEN: None},
    (Hold("r-0", "bad", "ada", "now"),),
    *("promotion", "why", "ada", "op", "now", "d"),
)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param("kind: promotion", "kind: magic", "kind: 'magic'", id="unknown kind"),
        pytest.param("active: blue", "active: red", "active: 'red'", id="unknown slot"),
        pytest.param("active: blue", "active: green", "slot 'green' is empty", id="empty active"),
        pytest.param("environment: dev", "environment: qa", "environment: 'qa'", id="environment"),
        pytest.param("reason: why", "reason: 7", "reason: 7", id="wrong type"),
        pytest.param("reason: why", "reasons: why", "unknown key 'reasons'", id="unknown key"),
        pytest.param("reason: why\n", "", "key 'reason' is missing", id="missing key"),
        pytest.param("release: r-1", "digest: r-1", "slots.blue.digest", id="unknown below"),
        pytest.param("release: r-0", "release: null", "holds.release", id="hold of nothing"),
    ],
)
def test_a_release_yaml_written_by_hand_is_refused_by_key(old: str, new: str, said: str) -> None:
    text = render(STATE)
    assert old in text
    with pytest.raises(BadInput, match=said) as refused:
        parse(text.replace(old, new, 1))
    assert refused.value.hint


# --- environment.yaml --------------------------------------------------------------------------


def test_settings_are_read_and_the_rest_keeps_its_default() -> None:
    found = environment_yaml.parse(SETTINGS + "analysis: {min_samples: 9}\n", "staging")
    assert (found.name, found.soak_seconds, found.reason_required) == ("staging", 30.0, True)
    assert (found.analysis.min_samples, found.analysis.probes_per_second) == (9, 20.0)


@pytest.mark.parametrize(
    ("change", "said", "remedy"),
    [
        pytest.param("sook: 1", "unknown key 'sook'", "known keys: name, target", id="unknown"),
        pytest.param("shadow_bar: 1", "'shadow_bar'", "did you mean 'shadow_bars'", id="close"),
        pytest.param("shadow_bars: yes", "shadow_bars: True", "whole number", id="boolean"),
        pytest.param("shadow_bars: -1", "shadow_bars: -1", "from 0 to", id="negative"),
        pytest.param("name: dev", "name: 'dev'", "production", id="another name"),
        pytest.param("analysis: 3", "analysis: 3", "mapping", id="no mapping"),
        pytest.param("analysis: {speed: 3}", "'analysis.speed'", "probes_per", id="below"),
        pytest.param(
            "analysis: {min_samples: 10000}", "gives 600 samples", "lengthen", id="impossible"
        ),
    ],
)
def test_settings_that_cannot_be_meant_are_refused(change: str, said: str, remedy: str) -> None:
    with pytest.raises(BadInput, match=said) as refused:
        environment_yaml.parse(SETTINGS + change + "\n", "production")
    assert "environments/production/environment.yaml" in refused.value.message
    assert remedy in refused.value.hint


def test_production_without_a_soak_is_refused_and_dev_may_do_without() -> None:
    without = SETTINGS.replace("soak_seconds: 30", "soak_seconds: 0")
    with pytest.raises(BadInput, match="gives 0 samples"):
        environment_yaml.parse(without, "production")
    assert environment_yaml.parse(without, "dev").soak_seconds == 0


@pytest.mark.parametrize("key", ["target", "soak_seconds", "rollback_window_hours"])
def test_a_setting_that_is_needed_is_asked_for(key: str) -> None:
    lines = [line for line in SETTINGS.splitlines() if not line.startswith(key)]
    with pytest.raises(BadInput, match=f"key '{key}' is missing"):
        environment_yaml.parse("\n".join(lines), "dev")


def test_the_environments_of_this_repository_are_read() -> None:
    for file in Path(__file__).parents[3].glob("environments/*/environment.yaml"):
        environment_yaml.parse(file.read_text(), file.parent.name)


# --- app/slipway.yaml --------------------------------------------------------------------------


def test_an_application_is_read() -> None:
    found = application_yaml.parse(APPLICATION)
    assert [p.name for p in found.processes] == ["api", "trader"]
    assert found.processes[0].sockets == ("live", "slot")
    assert found.services[0].socket == "venue"
    assert found.offers("why")
    assert not found.offers("shadow")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        pytest.param("live, slot", "live, door", "'door'", id="unknown socket"),
        pytest.param("live, slot", "live, live", "there twice", id="socket twice"),
        pytest.param("live, slot", "slot", "none has the socket 'live'", id="nobody live"),
        pytest.param("name: trading", "name: ../x", "'../x'", id="name with a path"),
        pytest.param("module: trading", "module: a b", "'a b'", id="module"),
        pytest.param("migrate: [migrate]", "migrat: [x]", "'commands.migrat'", id="command"),
        pytest.param("[serve, api]", "serve api", "processes.api.args", id="args as text"),
        pytest.param("why: [why]", "why: [7]", "commands.why", id="args as number"),
        pytest.param("  api: ", "  A/B: ", "'A/B' is not a name", id="process name"),
    ],
)
def test_an_application_that_cannot_run_is_refused(old: str, new: str, said: str) -> None:
    assert old in APPLICATION
    with pytest.raises(BadInput, match=said) as refused:
        application_yaml.parse(APPLICATION.replace(old, new, 1))
    assert "app/slipway.yaml" in refused.value.message


# --- values --------------------------------------------------------------------------------------


def test_values_are_merged_key_by_key_and_lists_are_replaced() -> None:
    base = {"a": {"x": 1, "y": [1, 2]}, "b": 1, "c": 2}
    over = {"a": {"y": [3]}, "b": None, "d": {"z": 1, "n": None}}
    assert merge(base, over, "f") == {"a": {"x": 1, "y": [3]}, "c": 2, "d": {"z": 1}}
    assert base == {"a": {"x": 1, "y": [1, 2]}, "b": 1, "c": 2}


@pytest.mark.parametrize("over", [{"a": 1}, {"b": {"x": 1}}], ids=["flattened", "deepened"])
def test_a_value_of_another_kind_than_the_base_is_refused(over: dict[str, object]) -> None:
    with pytest.raises(BadInput, match=r"values\.yaml: [ab]:"):
        merge({"a": {"x": 1}, "b": 1}, over, "environments/dev/values.yaml")
