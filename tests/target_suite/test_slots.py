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
from tests.target_suite.local import EchoReleases
from tests.target_suite.waiting import healed, pids, staged, until

# What a kill may take on a busy machine; at rest it is a few milliseconds.
KILL_SECONDS = 0.5


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
    assert {process.traffic for process in live.processes} == {"idle"}


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
    target: LocalTarget, first: Release, second: Release
) -> None:
    staged(target, Slot.GREEN, first)
    staged(target, Slot.GREEN, second)
    assert "number: 2" in target.layout.values_file(Slot.GREEN).read_text()


@pytest.mark.parametrize("halted", [False, True], ids=["running", "halted by SIGSTOP"])
def test_a_kill_is_immediate_and_final(target: LocalTarget, first: Release, halted: bool) -> None:
    staged(target, Slot.BLUE, first)
    gone = [pid for pid in pids(target, Slot.BLUE).values() if pid]
    for pid in gone if halted else ():
        os.kill(pid, signal.SIGSTOP)
    began = time.monotonic()
    target.stop_slot(Slot.BLUE, kill=True)
    assert time.monotonic() - began < KILL_SECONDS
    until(lambda: not any(runs(pid) for pid in gone), 2, "processes gone")
    time.sleep(1.2)  # longer than the supervisor's own check
    live = target.observe_slot(Slot.BLUE)
    assert (live.health, live.release) == (Health.SUSPENDED, first.id)
    assert not list(target.layout.orders.glob("blue-*"))


def test_a_kill_needs_neither_database_nor_supervisor(target: LocalTarget, first: Release) -> None:
    staged(target, Slot.BLUE, first)
    gone = [pid for pid in pids(target, Slot.BLUE).values() if pid]
    target.adapters.database.stop()
    halt_supervisor(target)
    began = time.monotonic()
    target.stop_slot(Slot.BLUE, kill=True)
    assert time.monotonic() - began < KILL_SECONDS
    until(lambda: not any(runs(pid) for pid in gone), 2, "processes gone")


def test_a_graceful_stop_ends_also_what_does_not_listen(
    target: LocalTarget, first: Release
) -> None:
    staged(target, Slot.BLUE, first)
    gone = [pid for pid in pids(target, Slot.BLUE).values() if pid]
    os.kill(gone[0], signal.SIGSTOP)
    target.stop_slot(Slot.BLUE, kill=False)
    assert not any(runs(pid) for pid in gone)


def test_a_stopped_slot_can_be_staged_again(target: LocalTarget, first: Release) -> None:
    staged(target, Slot.BLUE, first)
    target.stop_slot(Slot.BLUE, kill=True)
    staged(target, Slot.BLUE, first)


def test_a_forgotten_slot_is_empty_but_keeps_its_logs(target: LocalTarget, first: Release) -> None:
    staged(target, Slot.BLUE, first)
    target.stop_slot(Slot.BLUE, kill=False, forget=True)
    assert target.observe_slot(Slot.BLUE).release is None
    assert (target.layout.slot_logs(Slot.BLUE) / "web.log").exists()


def test_a_killed_process_is_back_within_a_second_in_the_same_state(
    target: LocalTarget, first: Release
) -> None:
    staged(target, Slot.BLUE, first)
    target.set_traffic(Slot.BLUE, live=True, wait_seconds=5)
    time.sleep(1.1)  # so that it is the first death, not one of a series
    old = pids(target, Slot.BLUE)["web"]
    assert old
    os.kill(old, signal.SIGKILL)
    took = until(lambda: pids(target, Slot.BLUE)["web"] not in (None, old), 5)
    assert took < 1.5
    until(lambda: web_traffic(target) == "live", 5, "live again")


def test_a_process_that_dies_at_once_is_given_up_and_started_again_by_heal(
    target: LocalTarget, releases: EchoReleases, first: Release
) -> None:
    broken = releases.crashing(3)
    target.stage(Slot.BLUE, broken)
    until(lambda: gave_up(target, "blue-web"), 20, "given up")
    assert target.observe_slot(Slot.BLUE).health is Health.DEGRADED
    assert any("web was not running" in words for words in healed(target, Slot.BLUE))


def test_heal_writes_hand_made_changes_back_and_says_so(
    target: LocalTarget, first: Release
) -> None:
    staged(target, Slot.BLUE, first)
    assert healed(target, Slot.BLUE) == ()
    path = target.layout.values_file(Slot.BLUE)
    right = path.read_text()
    path.write_text("number: 99\n")
    (looked,) = target.slot_drift(Slot.BLUE)
    assert path.read_text() == "number: 99\n", looked
    drift = healed(target, Slot.BLUE)
    assert drift == ("slot blue: values.yaml was changed by hand; written again",)
    assert path.read_text() == right
    assert healed(target, Slot.BLUE) == ()


def runs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/stat") as stream:
            return stream.read().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def halt_supervisor(target: LocalTarget) -> None:
    pid = int(target.layout.supervisor_pidfile.read_text().split()[0])
    os.kill(pid, signal.SIGSTOP)


def web_traffic(target: LocalTarget) -> str:
    processes = {p.name: p for p in target.observe_slot(Slot.BLUE).processes}
    return processes["web"].traffic


def gave_up(target: LocalTarget, name: str) -> bool:
    report = target.adapters.supervisor.report().get(name)
    return report is not None and report.gave_up
