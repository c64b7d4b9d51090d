"""Who accepts from the live socket."""

from __future__ import annotations

import json
import threading
import time

from pipelines.model.release import Release
from pipelines.model.slots import Slot
from pipelines.targets.protocol import Target
from tests.target_suite.hands import Hands, halt
from tests.target_suite.waiting import get, reached, staged


def test_nobody_is_live_before_somebody_was_told(target: Target, first: Release) -> None:
    staged(target, Slot.BLUE, first)
    assert target.traffic() is None


def test_the_live_socket_follows_the_last_word(
    target: Target, first: Release, second: Release
) -> None:
    staged(target, Slot.BLUE, first)
    staged(target, Slot.GREEN, second)
    for slot, release in ((Slot.BLUE, first), (Slot.GREEN, second), (Slot.BLUE, first)):
        assert target.set_traffic(slot, live=True, wait_seconds=5)
        assert target.set_traffic(slot.other, live=False, wait_seconds=5)
        assert target.traffic() is slot
        assert json.loads(get(target.live_url() + "/version"))["release"] == release.id


def test_a_slot_answers_on_its_own_address_while_it_is_idle(
    target: Target, second: Release
) -> None:
    staged(target, Slot.GREEN, second)
    answer = json.loads(reached(target.slot_url(Slot.GREEN) + "/version"))
    assert answer["slot"] == "green"
    assert answer["traffic"] in ("idle", None)  # None: Services decide, it follows no file


def test_traffic_moves_with_supervisor_and_database_away(
    target: Target, hands: Hands, first: Release, second: Release
) -> None:
    staged(target, Slot.BLUE, first)
    staged(target, Slot.GREEN, second)
    target.set_traffic(Slot.GREEN, live=True, wait_seconds=5)
    hands.stop_database()
    hands.halt_keeper()
    began = time.monotonic()
    target.set_traffic(Slot.BLUE, live=True)
    target.set_traffic(Slot.GREEN, live=False)
    target.stop_slot(Slot.GREEN, kill=True)
    assert time.monotonic() - began < hands.traffic_seconds
    assert json.loads(get(target.live_url() + "/version"))["release"] == first.id


def test_no_request_is_lost_while_traffic_goes_to_and_fro(
    target: Target, first: Release, second: Release
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


def test_a_halted_slot_does_not_say_that_it_is_live(
    target: Target, hands: Hands, first: Release
) -> None:
    staged(target, Slot.BLUE, first)
    halt(hands.pids(Slot.BLUE))
    assert not target.set_traffic(Slot.BLUE, live=True, wait_seconds=0.3)
    assert not target.follows_late(Slot.BLUE)
