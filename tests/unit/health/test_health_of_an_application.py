from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.health.application import application_health
from pipelines.model.live import Health
from pipelines.model.resource import Resource
from pipelines.model.sync import ResourceHealth


def claim(phase: str, name: str = "x", **annotations: str) -> Resource:
    return Resource({
        "apiVersion": "v1", "kind": "PersistentVolumeClaim", "status": {"phase": phase},
        "metadata": {"name": name, "namespace": "shop", "annotations": annotations},
    })  # fmt: skip


def other(kind: str, version: str = "v1", **body: Any) -> Resource:
    return Resource({"apiVersion": version, "kind": kind, "metadata": {"name": "o"}, **body})


HEALTHY = ResourceHealth(Health.HEALTHY)
PHASES = {"Bound": Health.HEALTHY, "Pending": Health.PROGRESSING, "Lost": Health.DEGRADED}


def of(*live: Resource | None) -> ResourceHealth:
    return application_health((one, one) for one in live)


def test_an_application_is_as_bad_as_its_worst_object() -> None:
    assert of(claim("Bound"), claim("Pending", "a"), claim("Lost", "b"), claim("Pending", "c")) == (
        ResourceHealth(Health.DEGRADED, "Caused by PersistentVolumeClaim:shop/b")
    )
    assert of(claim("Bound"), other("ConfigMap")) == HEALTHY
    assert application_health([]) == HEALTHY


@given(st.lists(st.sampled_from(sorted(PHASES)), min_size=1, max_size=8))
def test_the_worst_counts_and_three_causes_are_named(phases: list[str]) -> None:
    order = list(Health)
    found = of(*(claim(phase, f"n{index}") for index, phase in enumerate(phases)))
    worst = max((PHASES[phase] for phase in phases), key=order.index)
    causes = sum(PHASES[phase] is worst for phase in phases)
    assert found.status is worst
    if worst is Health.HEALTHY:
        assert found.message == ""
    else:
        assert found.message.count("shop/") == min(causes, 3)
        assert found.message.endswith(f" and {causes - 3} more") == (causes > 3)


def test_what_is_missing_alone_does_not_count_but_nothing_live_is_missing() -> None:
    wanted = claim("Bound")
    assert application_health([(wanted, None), (wanted, wanted)]) == HEALTHY
    assert application_health([(wanted, None)]) == ResourceHealth(Health.MISSING)


def test_hooks_and_what_asks_to_be_left_out_do_not_count() -> None:
    prefix = "argocd.argoproj.io/"
    hook, quiet = {prefix + "hook": "PreSync"}, {prefix + "ignore-healthcheck": "true"}
    skipped = {prefix + "hook": "Skip"}
    for note in (hook, quiet, skipped):
        assert of(claim("Lost", **note), claim("Bound")) == HEALTHY


def test_an_application_does_not_judge_itself() -> None:
    lost = claim("Lost")
    found = application_health([(lost, lost), (None, claim("Bound", "y"))], itself=lost.key)
    assert found == HEALTHY
