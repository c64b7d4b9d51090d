"""Staging, stopping, healing."""

from __future__ import annotations

import os
import signal
import time

import pytest

from pipelines.model.live import Health
from pipelines.model.release import Release
from pipelines.model.slots import Slot
from pipelines.targets.local.target import LocalTarget
from tests.target_suite.hands import Hands, halt, runs
from tests.target_suite.local import EchoReleases
from tests.target_suite.waiting import healed, pids, staged, until


def test_an_empty_slot_is_missing_and_names_no_release(target: LocalTarget) -> None:
    live = target.observe_slot(Slot.BLUE)
    assert (live.release, live.health, live.processes) == (None, Health.MISSING, ())


def test_a_staged_slot_runs_every_process_of_exactly_this_release(
    target: LocalTarget, first: Release
) -> None:
    staged(target, Slot.BLUE, first)
    live = target.observe_slot(Slot.BLUE)
    assert [process.name for process in live.processes] == ["web", "worker"]
    assert {process.release for process in live.processes} == {first.id}
    # Empty: Services decide, and it follows no file.
    assert {process.traffic for process in live.processes} <= {"idle", ""}


def test_staging_the_same_release_again_changes_nothing(
    target: LocalTarget, first: Release
) -> None:
    staged(target, Slot.BLUE, first)
    target.set_traffic(Slot.BLUE, live=True, wait_seconds=5)
    before = pids(target, Slot.BLUE)
    target.stage(Slot.BLUE, first)
    assert pids(target, Slot.BLUE) == before
    assert target.traffic() is Slot.BLUE


def test_staging_another_release_replaces_every_process_and_takes_no_traffic(
    target: LocalTarget, first: Release, second: Release
) -> None:
    staged(target, Slot.BLUE, first)
    target.set_traffic(Slot.BLUE, live=True, wait_seconds=5)
    before = pids(target, Slot.BLUE)
    staged(target, Slot.BLUE, second)
    live = target.observe_slot(Slot.BLUE)
    assert {process.release for process in live.processes} == {second.id}
    assert not set(before.values()) & set(pids(target, Slot.BLUE).values())
    assert target.traffic() is None


def test_a_release_with_other_values_is_staged_anew(
    target: LocalTarget, hands: Hands, first: Release, second: Release
) -> None:
    staged(target, Slot.GREEN, first)
    staged(target, Slot.GREEN, second)
    assert "number: 2" in hands.values_text(Slot.GREEN)


@pytest.mark.parametrize("halted", [False, True], ids=["running", "halted by SIGSTOP"])
def test_a_kill_is_immediate_and_final(
    target: LocalTarget, hands: Hands, first: Release, halted: bool
) -> None:
    staged(target, Slot.BLUE, first)
    gone = hands.pids(Slot.BLUE)
    assert set(gone) == {"web", "worker"}
    if halted:
        halt(gone)
    began = time.monotonic()
    target.stop_slot(Slot.BLUE, kill=True)
    assert time.monotonic() - began < hands.kill_seconds
    until(lambda: not any(runs(pid) for pid in gone.values()), hands.gone_seconds, "all gone")
    time.sleep(1.2)  # longer than the supervisor's own check
    live = target.observe_slot(Slot.BLUE)
    assert (live.health, live.release) == (Health.SUSPENDED, first.id)
    assert hands.pids(Slot.BLUE) == {}


def test_a_kill_needs_neither_database_nor_supervisor(
    target: LocalTarget, hands: Hands, first: Release
) -> None:
    staged(target, Slot.BLUE, first)
    gone = hands.pids(Slot.BLUE)
    hands.stop_database()
    hands.halt_keeper()
    began = time.monotonic()
    target.stop_slot(Slot.BLUE, kill=True)
    assert time.monotonic() - began < hands.kill_seconds
    until(lambda: not any(runs(pid) for pid in gone.values()), hands.gone_seconds, "all gone")


def test_a_graceful_stop_ends_also_what_does_not_listen(
    target: LocalTarget, hands: Hands, first: Release
) -> None:
    staged(target, Slot.BLUE, first)
    gone = hands.pids(Slot.BLUE)
    halt({"web": gone["web"]})
    target.stop_slot(Slot.BLUE, kill=False)
    until(lambda: not any(runs(pid) for pid in gone.values()), hands.gone_seconds, "all gone")


def test_a_stopped_slot_can_be_staged_again(target: LocalTarget, first: Release) -> None:
    staged(target, Slot.BLUE, first)
    target.stop_slot(Slot.BLUE, kill=True)
    staged(target, Slot.BLUE, first)


def test_a_forgotten_slot_is_empty(target: LocalTarget, first: Release) -> None:
    staged(target, Slot.BLUE, first)
    target.stop_slot(Slot.BLUE, kill=False, forget=True)
    live = target.observe_slot(Slot.BLUE)
    assert (live.release, live.health) == (None, Health.MISSING)
    assert target.traffic() is None


@pytest.mark.local_only  # of pods the cluster keeps logs, or whoever collects them
def test_a_forgotten_slot_keeps_its_logs(target: LocalTarget, first: Release) -> None:
    staged(target, Slot.BLUE, first)
    target.stop_slot(Slot.BLUE, kill=False, forget=True)
    assert (target.layout.slot_logs(Slot.BLUE) / "web.log").exists()


def test_a_killed_process_is_back_soon_in_the_same_state(
    target: LocalTarget, hands: Hands, first: Release
) -> None:
    staged(target, Slot.BLUE, first)
    target.set_traffic(Slot.BLUE, live=True, wait_seconds=5)
    time.sleep(1.1)  # so that it is the first death, not one of a series
    old = pids(target, Slot.BLUE)["web"]
    assert old
    os.kill(hands.pids(Slot.BLUE)["web"], signal.SIGKILL)
    took = until(lambda: pids(target, Slot.BLUE)["web"] not in (None, old), 15)
    assert took < hands.back_seconds
    assert target.traffic() is Slot.BLUE
    assert target.set_traffic(Slot.BLUE, live=True, wait_seconds=10)


@pytest.mark.cluster_only
def test_a_process_that_dies_at_once_is_told_with_its_last_words(
    target: LocalTarget, releases: EchoReleases
) -> None:
    target.stage(Slot.BLUE, releases.crashing(3))
    until(lambda: "KeyError" in target.observe_slot(Slot.BLUE).message, 30, "its last words")
    until(lambda: target.observe_slot(Slot.BLUE).health is Health.DEGRADED, 30, "degraded")


@pytest.mark.local_only
def test_a_process_that_dies_at_once_is_given_up_and_started_again_by_heal(
    target: LocalTarget, releases: EchoReleases, first: Release
) -> None:
    broken = releases.crashing(3)
    target.stage(Slot.BLUE, broken)
    until(lambda: gave_up(target, "blue-web"), 20, "given up")
    assert target.observe_slot(Slot.BLUE).health is Health.DEGRADED
    assert any("web was not running" in words for words in healed(target, Slot.BLUE))


def test_heal_writes_hand_made_changes_back_and_says_so(
    target: LocalTarget, hands: Hands, first: Release
) -> None:
    staged(target, Slot.BLUE, first)
    assert healed(target, Slot.BLUE) == ()
    right = hands.values_text(Slot.BLUE)
    hands.spoil_values(Slot.BLUE)
    (looked,) = target.slot_drift(Slot.BLUE)
    assert hands.values_text(Slot.BLUE) == "number: 99\n", looked
    (words,) = healed(target, Slot.BLUE)
    assert "slot blue" in words
    assert "changed" in words
    assert words.endswith("written again")
    assert hands.values_text(Slot.BLUE) == right
    assert healed(target, Slot.BLUE) == ()


def gave_up(target: LocalTarget, name: str) -> bool:
    report = target.adapters.supervisor.report().get(name)
    return report is not None and report.gave_up
