"""A new slot answers requests with at least as many processes as the active one."""

from __future__ import annotations

from dataclasses import replace

from pipelines.flows.before_switch import capacity_check
from pipelines.model.live import Health, ProcessLive, SlotLive
from pipelines.model.release import Application, ProcessSpec, Release
from pipelines.model.slots import Slot


def release(*processes: tuple[str, tuple[str, ...]]) -> Release:
    specs = tuple(ProcessSpec(name, ("serve",), sockets) for name, sockets in processes)
    application = Application("app", "app", specs, (), {})
    return Release("r-1", "1", *("",) * 6, {}, (), {}, application, {})


def slot(release: Release, *, not_ready: str = "") -> SlotLive:
    processes = tuple(
        ProcessLive(p.name, 1, release.id, "", "idle", p.name != not_ready, Health.HEALTHY, "")
        for p in release.application.processes
    )
    return SlotLive(Slot.BLUE, release.id, processes, Health.HEALTHY, "")


TWO = release(("web", ("live",)), ("more", ("live",)), ("worker", ()))
ONE = release(("web", ("live",)), ("worker", ()))


def test_as_many_as_before_is_enough() -> None:
    assert capacity_check(slot(TWO), TWO, slot(TWO), TWO).ok
    assert capacity_check(slot(TWO), TWO, slot(ONE), ONE).ok


def test_one_process_less_that_answers_requests_is_refused() -> None:
    check = capacity_check(slot(ONE), ONE, slot(TWO), TWO)
    assert not check.ok
    assert "1 ready, 2 in the active slot" in check.message


def test_one_that_is_not_ready_does_not_count_on_either_side() -> None:
    assert not capacity_check(slot(TWO, not_ready="more"), TWO, slot(TWO), TWO).ok
    assert capacity_check(slot(ONE), ONE, slot(TWO, not_ready="more"), TWO).ok


def test_a_process_without_live_requests_may_go() -> None:
    lean = replace(release(("web", ("live",))), id="r-2")
    assert capacity_check(slot(lean), lean, slot(ONE), ONE).ok
