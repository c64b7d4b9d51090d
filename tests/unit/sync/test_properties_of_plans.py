"""What holds of every plan."""

from __future__ import annotations

import json
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.engine.sync import kinds
from pipelines.engine.sync.order import PHASES
from pipelines.engine.sync.plan import plan
from pipelines.flows.offline_plan import document
from pipelines.model.resource import Resource
from pipelines.model.sync import Action, SyncPlan
from tests.unit.sync.objects import SETTINGS, after, live_of, thing

NAMES = st.sampled_from("abcdef")
KINDS = st.sampled_from((
    "Namespace", "ConfigMap", "Secret", "Service", "Deployment", "Job", "ClusterRole",
))  # fmt: skip
WAVES = st.none() | st.integers(-3, 3)
OPTIONS = st.sampled_from(("", "", "", "Prune=false", "PruneLast=true", "Prune=confirm"))


@st.composite
def resources(draw: st.DrawFn) -> Resource:
    kind = draw(KINDS)
    return thing(
        kind, draw(NAMES), wave=draw(WAVES), options=draw(OPTIONS),
        notes={"changed": draw(st.sampled_from("123"))},
    )  # fmt: skip


@st.composite
def hooks(draw: st.DrawFn) -> Resource:
    phases = st.sampled_from(("PreSync", "Sync", "PostSync", "SyncFail", "PreSync,PostSync"))
    return thing("Job", f"hook-{draw(NAMES)}", wave=draw(WAVES), hook=draw(phases))


def sets(one: st.SearchStrategy[Resource]) -> st.SearchStrategy[list[Resource]]:
    return st.lists(one, max_size=12, unique_by=lambda resource: resource.key)


DESIRED = sets(resources() | hooks())
LIVE = sets(resources())
ALLOWED = replace(SETTINGS, allow_empty=True)


def place(made: SyncPlan) -> list[tuple[int, int]]:
    return [(PHASES[step.phase], step.wave) for step in made.steps]


@settings(deadline=None)
@given(DESIRED, LIVE)
def test_phases_and_waves_never_decrease(desired: list[Resource], live: list[Resource]) -> None:
    made = plan(desired, live_of(*live), ALLOWED)
    assert place(made) == sorted(place(made))


@settings(deadline=None)
@given(DESIRED, LIVE, st.randoms())
def test_the_order_of_the_input_does_not_matter(
    desired: list[Resource], live: list[Resource], random: object
) -> None:
    first = plan(desired, live_of(*live), ALLOWED)
    shuffled, others = desired[:], live[:]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    random.shuffle(others)  # type: ignore[attr-defined]
    second = plan(shuffled, live_of(*others), ALLOWED)
    assert json.dumps(document(first)) == json.dumps(document(second))


@settings(deadline=None)
@given(LIVE)
def test_equal_sets_need_nothing(both: list[Resource]) -> None:
    made = plan(both, live_of(*both), ALLOWED)
    assert {step.action for step in made.steps} <= {Action.NOTHING}
    assert len(made.steps) == len(both)


@settings(deadline=None)
@given(DESIRED, LIVE)
def test_a_plan_that_was_carried_out_leaves_nothing_to_do(
    desired: list[Resource], live: list[Resource]
) -> None:
    there = after(plan(desired, live_of(*live), ALLOWED), live_of(*live))
    again = plan(desired, there, ALLOWED)
    assert {step.action for step in again.steps} <= {Action.NOTHING, Action.HOOK, Action.SKIP}


@settings(deadline=None)
@given(DESIRED, LIVE)
def test_every_object_has_its_step(desired: list[Resource], live: list[Resource]) -> None:
    made = plan(desired, live_of(*live), ALLOWED)
    assert {step.key for step in made.steps} == {one.key for one in [*desired, *live]}


@settings(deadline=None)
@given(LIVE)
def test_prunes_swap_their_waves_around_the_middle(live: list[Resource]) -> None:
    plain = [
        thing(one.kind, one.name, wave=int(one.annotations.get("argocd.argoproj.io/sync-wave", 0)))
        for one in live
    ]
    made = plan([], live_of(*plain), ALLOWED)
    own = {one.key: int(one.annotations["argocd.argoproj.io/sync-wave"]) for one in plain}
    waves = sorted(set(own.values()))
    assert {step.key: step.wave for step in made.steps} == {
        key: waves[-1 - waves.index(wave)] for key, wave in own.items()
    }


@settings(deadline=None)
@given(DESIRED, LIVE)
def test_within_a_wave_prunes_come_first_and_kinds_in_their_order(
    desired: list[Resource], live: list[Resource]
) -> None:
    plain = [one for one in desired if one.kind != "Namespace"]  # these move before their users
    made = plan(plain, live_of(*live), ALLOWED)
    rows = [
        (*where, step.desired is not None, kinds.RANK[step.key.kind], step.key.name)
        for where, step in zip(place(made), made.steps, strict=True)
    ]
    assert rows == sorted(rows)


@settings(deadline=None)
@given(DESIRED, LIVE)
def test_a_namespace_is_there_before_what_lives_in_it(
    desired: list[Resource], live: list[Resource]
) -> None:
    home = thing("Namespace", "shop", wave=3)
    made = plan([*[one for one in desired if one.key != home.key], home], live_of(*live), ALLOWED)
    steps = [step for step in made.steps if step.desired is not None]
    position = next(at for at, step in enumerate(steps) if step.key == home.key)
    assert not any(step.key.namespace == "shop" for step in steps[:position])
