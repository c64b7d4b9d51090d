"""Who accepts from the live socket."""

from __future__ import annotations

import json
import os
import signal
import threading
import time

from pipelines.model.release import Release
from pipelines.model.slots import Slot
from pipelines.targets.local.target import LocalTarget
from tests.target_suite.waiting import get, staged

SET_SECONDS = 0.5


def test_nobody_is_live_before_somebody_was_told(target: LocalTarget, first: Release) -> None:
    staged(target, Slot.BLUE, first)
    assert target.traffic() is None


def test_the_live_socket_follows_the_last_word(
    target: LocalTarget, first: Release, second: Release
) -> None:
    staged(target, Slot.BLUE, first)
    staged(target, Slot.GREEN, second)
    for slot, release in ((Slot.BLUE, first), (Slot.GREEN, second), (Slot.BLUE, first)):
        assert target.set_traffic(slot, live=True, wait_seconds=5)
        assert target.set_traffic(slot.other, live=False, wait_seconds=5)
        assert target.traffic() is slot
        assert json.loads(get(target.live_url() + "/version"))["release"] == release.id


def test_a_slot_answers_on_its_own_address_while_it_is_idle(
    target: LocalTarget, second: Release
) -> None:
    staged(target, Slot.GREEN, second)
    answer = json.loads(get(target.slot_url(Slot.GREEN) + "/version"))
    assert (answer["slot"], answer["traffic"]) == ("green", "idle")


def test_traffic_moves_with_supervisor_and_database_away(
    target: LocalTarget, first: Release, second: Release
) -> None:
    staged(target, Slot.BLUE, first)
    staged(target, Slot.GREEN, second)
    target.set_traffic(Slot.GREEN, live=True, wait_seconds=5)
    target.adapters.database.stop()
    os.kill(int(target.layout.supervisor_pidfile.read_text().split()[0]), signal.SIGSTOP)
    began = time.monotonic()
    target.set_traffic(Slot.BLUE, live=True)
    target.set_traffic(Slot.GREEN, live=False)
    target.stop_slot(Slot.GREEN, kill=True)
    assert time.monotonic() - began < SET_SECONDS
    assert json.loads(get(target.live_url() + "/version"))["release"] == first.id


def test_no_request_is_lost_while_traffic_goes_to_and_fro(
    target: LocalTarget, first: Release, second: Release
) -> None:
    staged(target, Slot.BLUE, first)
    staged(target, Slot.GREEN, second)
    target.set_traffic(Slot.BLUE, live=True, wait_seconds=5)
    failed: list[str] = []
    answered: set[str] = set()
    done = threading.Event()

    def ask() -> None:
        while not done.is_set():
            try:
                answered.add(json.loads(get(target.live_url() + "/version", 5))["slot"])
            except Exception as error:
                failed.append(repr(error))

    clients = [threading.Thread(target=ask) for _ in range(4)]
    for client in clients:
        client.start()
    for round_ in range(10):
        slot = Slot.GREEN if round_ % 2 == 0 else Slot.BLUE
        target.set_traffic(slot, live=True, wait_seconds=5)
        target.set_traffic(slot.other, live=False, wait_seconds=5)
        time.sleep(0.05)
    done.set()
    for client in clients:
        client.join(10)
    assert failed == []
    assert answered == {"blue", "green"}


def test_a_halted_slot_does_not_say_that_it_is_live(target: LocalTarget, first: Release) -> None:
    staged(target, Slot.BLUE, first)
    web = next(p.pid for p in target.observe_slot(Slot.BLUE).processes if p.name == "web")
    assert web
    os.kill(web, signal.SIGSTOP)
    assert not target.set_traffic(Slot.BLUE, live=True, wait_seconds=0.3)
