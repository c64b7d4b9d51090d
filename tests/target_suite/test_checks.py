"""Commands of the application, probes, counters, memory."""

from __future__ import annotations

import time

import pytest

from pipelines.model.errors import Refused
from pipelines.model.release import Release
from pipelines.model.slots import Slot
from pipelines.targets.protocol import Target
from tests.target_suite.hands import Hands, halt
from tests.target_suite.local import EchoReleases
from tests.target_suite.waiting import get, reached, staged, until


def test_an_application_command_runs_in_the_release_and_answers_checks(
    target: Target, first: Release
) -> None:
    (check,) = target.application_check(first, Slot.BLUE, "validate", [], 20)
    assert check.ok
    assert check.samples > 0
    assert check.name.startswith("validate")


def test_a_command_that_is_not_offered_is_one_ok_check_that_says_so(
    target: Target, first: Release
) -> None:
    (check,) = target.application_check(first, Slot.BLUE, "reconcile", [], 20)
    assert check.ok
    assert "does not offer" in check.message
    assert target.application_answer(first, Slot.BLUE, "why", ["1"], 20) is None


def test_a_command_that_crashes_or_hangs_is_a_failed_check(
    target: Target, releases: EchoReleases
) -> None:
    crashing = releases.with_command(4, "validate", ("nonsense",))
    (crashed,) = target.application_check(crashing, Slot.BLUE, "validate", [], 20)
    assert not crashed.ok
    assert "KeyError" in crashed.message
    hanging = releases.with_command(5, "validate", ("serve", "hang"))
    began = time.monotonic()
    (hung,) = target.application_check(hanging, Slot.BLUE, "validate", [], 0.5)
    assert not hung.ok
    assert time.monotonic() - began < 5


def test_migrations_are_what_the_application_says(
    target: Target, first: Release, releases: EchoReleases
) -> None:
    status = target.migration_status(first)
    assert (status.pending, status.contract, status.missing) == ((), (), ())
    target.migrate(first, "expand")
    without = releases.without(releases.make(6), "migrate")
    assert target.migration_status(without).pending == ()
    target.migrate(without, "expand")


def test_migrations_are_undone_by_the_application_or_it_says_why_not(
    target: Target, first: Release, releases: EchoReleases
) -> None:
    target.undo_migrations(first, "base")
    target.undo_migrations(releases.without(releases.make(6), "migrate"), "base")
    failing = releases.with_command(7, "migrate", ("nonsense",))
    with pytest.raises(Refused, match="migrations failed"):
        target.undo_migrations(failing, "base")


def test_probes_measure_each_answer(target: Target, first: Release) -> None:
    staged(target, Slot.BLUE, first)
    target.set_traffic(Slot.BLUE, live=True, wait_seconds=5)
    for slot in (None, Slot.BLUE):
        samples = target.probe(slot, count=40, per_second=200)
        assert (samples.count, samples.errors) == (40, 0)
        assert all(0 < seconds < 1 for seconds in samples.latencies_seconds)


def test_probes_count_what_does_not_answer(target: Target, hands: Hands, first: Release) -> None:
    staged(target, Slot.BLUE, first)
    target.set_traffic(Slot.BLUE, live=True, wait_seconds=5)
    halt(hands.pids(Slot.BLUE))
    samples = target.probe(None, count=5, per_second=50)
    assert (samples.count, samples.errors) == (5, 5)
    assert samples.error_examples


def test_counters_count_real_requests(target: Target, first: Release) -> None:
    staged(target, Slot.BLUE, first)
    reached(target.slot_url(Slot.BLUE) + "/")
    before = target.counters(Slot.BLUE)
    for _ in range(7):
        get(target.slot_url(Slot.BLUE) + "/")
    after = target.counters(Slot.BLUE)
    assert after.requests - before.requests >= 7
    assert after.server_errors == 0


@pytest.mark.local_only  # a pod says it itself, and the second application does not
def test_memory_is_known_of_every_process_and_of_none_that_is_gone(
    target: Target, first: Release
) -> None:
    assert target.memory_bytes(Slot.BLUE) == {}
    staged(target, Slot.BLUE, first)
    memory = target.memory_bytes(Slot.BLUE)
    assert set(memory) == {"web", "worker"}
    assert all(1_000_000 < size < 500_000_000 for size in memory.values())
    target.stop_slot(Slot.BLUE, kill=True)
    until(lambda: target.memory_bytes(Slot.BLUE) == {}, seconds=5, what="no process left")
