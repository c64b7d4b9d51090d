"""A machine that misbehaves: ports in use, full disk, dead network, clock set back, sleep."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from tests.harness.disk import fill, small_file_system
from tests.harness.installation import Installation, borrowed, git
from tests.harness.missing import missing
from tests.harness.releases import other_release, two_releases
from tests.harness.steps import wait_for_step
from tests.planted.edits import harmless

DEAD = "http://127.0.0.1:9"


@pytest.fixture
def warm(installation: Installation) -> Iterator[Installation]:
    """dev runs one of two good releases, nothing is held; afterwards all agree again."""
    agreement = installation.agreement("dev")
    agreement.wait(30)
    if agreement.row()["release"] not in two_releases(installation):
        for release in two_releases(installation):
            assert installation.promote("dev", release).code == 0
    yield installation
    agreement.wait(60)
    for hold in agreement.branch()["holds"]:
        installation.run("unhold", "dev", hold["release"], "--reason", "test is over")


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    with small_file_system(tmp_path / "disk", "64m") as folder:
        yield folder


def test_a_port_in_use_is_named_before_anything_starts(
    installation: Installation, tmp_path: Path
) -> None:
    other = Installation(installation.checkout, tmp_path / "state", command=borrowed(installation))
    with socket.create_server(("127.0.0.1", other.port("staging", 2))):
        answer = other.run("up", "--state", str(other.state), "--base-port", str(other.base_port))
    try:
        assert answer.code == 2, str(answer)
        assert f"{other.port('staging', 2)} is held by" in answer.text
        assert f"pid {os.getpid()}" in answer.text
        assert "Traceback" not in answer.text
        assert not other.processes()
        assert not other.state.exists()
    finally:
        other.remove()


def test_a_disk_without_room_is_named_by_up_and_nothing_is_left_running(
    installation: Installation, small_disk: Path
) -> None:
    state = small_disk / "state"
    other = Installation(installation.checkout, state, command=borrowed(installation))
    fill(small_disk)
    answer = other.run("up", "--state", str(state), "--base-port", str(other.base_port))
    try:
        assert answer.code == 5, str(answer)
        assert "disk: 0.0 GB free" in answer.text
        assert "Traceback" not in answer.text
        assert not other.processes()
    finally:
        other.remove()


def test_a_read_only_state_folder_is_named(installation: Installation, small_disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    state = small_disk / "state"
    answer = installation.run("up", "--state", str(state))
    assert answer.code == 5, str(answer)
    assert f"cannot be written: {small_disk}" in answer.text
    assert "Traceback" not in answer.text


def test_without_a_network_a_release_is_built_promoted_and_rolled_back(
    warm: Installation,
) -> None:
    dead = {
        name: DEAD for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy")
    } | {"UV_INDEX_URL": DEAD, "PIP_INDEX_URL": DEAD, "UV_DEFAULT_INDEX": DEAD}  # fmt: skip
    with warm.put_back():
        warm.commit(harmless("no network"), "Build without a network")
        built = warm.run("build", variables=dead)
    assert built.code == 0, str(built)
    promoted = warm.run("promote", "dev", built.data["release"], variables=dead)
    assert promoted.code == 0, str(promoted)
    back = warm.run("rollback", "dev", "--reason", "no network", variables=dead)
    assert back.code == 0, str(back)


def test_two_people_who_promote_at_once_get_one_winner(warm: Installation) -> None:
    row = warm.agreement("dev").row()
    release = other_release(warm, "dev")
    asked = [warm.start("promote", "dev", release, "--reason", f"person {n}") for n in range(2)]
    said = [process.communicate(timeout=120)[0] for process in asked]
    ended = [
        (process.returncode, json.loads(out)) for process, out in zip(asked, said, strict=True)
    ]
    winners = [data for code, data in ended if code == 0 and data["steps"]]
    losers = [(code, data) for code, data in ended if data not in winners]
    assert len(winners) == 1, ended
    assert winners[0]["result"] == "succeeded"
    assert [came_too_late(code, data) for code, data in losers] == [True], ended
    warm.agreement("dev").wait(30, release=release)
    assert warm.agreement("dev").row()["epoch"] == row["epoch"] + 1


def came_too_late(code: int, data: dict[str, Any]) -> bool:
    """By so much that it is done already; or it is told what is under way, or that git moved."""
    if code == 0:
        return bool(data["message"] == "nothing to do")
    message = data["error"]["message"]
    return code == 3 and ("is under way since" in message or "env/dev" in message)


def test_while_a_release_is_under_way_others_are_told_whose_it_is(warm: Installation) -> None:
    """In staging, whose soak gives them time to ask."""
    agreement = warm.agreement("staging")
    agreement.wait(30)
    row, release = agreement.row(), other_release(warm, "staging")
    third = next(one for one in two_releases(warm) if one != release)
    asked = warm.start("promote", "staging", release, "--reason", "the first to come")
    try:
        wait_for_step(warm, "staging", "analyse")
        head = git(warm.origin, "rev-parse", "env/staging")
        other = warm.promote("staging", third)
        assert other.code == 3, str(other)
        assert f"promotion of {release} into staging by" in other.text
        assert "is under way since" in other.text
        assert "slipway rollback staging" in other.text
        assert "Traceback" not in other.text
        lock = warm.ok("lock", "status", "staging")["lock"]
        assert (lock["holder"], lock["alive"]) == ("controller staging", True)
        assert git(warm.origin, "rev-parse", "env/staging") == head
        out, err = asked.communicate(timeout=120)
        assert asked.returncode == 0, out + err
        agreement.wait(15, release=release)
        assert agreement.row()["epoch"] == row["epoch"] + 1
    finally:
        asked.kill()
        asked.wait()


def test_a_clock_set_back_by_two_hours_confuses_nobody(warm: Installation) -> None:
    if shutil.which("faketime") is None:
        missing("faketime is not installed")
    answer = warm.run(
        "promote", "dev", other_release(warm, "dev"), "--reason", "late",
        prefix=("faketime", "-f", "-2h"),
    )  # fmt: skip
    assert answer.code == 0, str(answer)


def test_a_machine_that_sleeps_in_the_middle_of_a_promotion_ends_in_one_active_slot(
    warm: Installation,
) -> None:
    before, release = warm.agreement("dev").row(), other_release(warm, "dev")
    asked = warm.start("promote", "dev", release, "--reason", "sleep")
    wait_for_step(warm, "dev", "stage")
    asleep = []
    for running in warm.processes("dev"):
        process = psutil.Process(running.pid)
        asleep += [process, *process.children(recursive=True)]
    everybody = {process.pid for process in asleep} | {asked.pid}
    for pid in everybody:
        _signal(pid, signal.SIGSTOP)
    time.sleep(20)
    for pid in everybody:
        _signal(pid, signal.SIGCONT)
    out, err = asked.communicate(timeout=120)
    warm.agreement("dev").wait(60)
    row, operation = warm.agreement("dev").row(), warm.ok("history", "dev")["operations"][0]
    assert operation["release"] == release, out + err
    said = (asked.returncode, json.loads(out)["result"], operation["result"], row["release"])
    assert said in (
        (0, "succeeded", "succeeded", release),
        (4, "undone", "undone", before["release"]),
    ), out + err
    assert "Traceback" not in err


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def test_everything_killed_at_once_comes_back_by_up(warm: Installation) -> None:
    before = warm.agreement("dev").look()
    for running in warm.processes():
        running.kill()
    answer = warm.up()
    assert answer.code == 0, str(answer)
    for environment in ("dev", "staging", "production"):
        warm.agreement(environment).wait(60)
    after = warm.agreement("dev").look()
    assert (after.slot, after.release) == (before.slot, before.release)


def test_supervisor_and_controller_killed_together_come_back_without_anybody(
    warm: Installation,
) -> None:
    before = warm.agreement("dev").look()
    killed = [p for p in warm.processes("dev") if p.role in ("supervisor", "controller")]
    assert {p.role for p in killed} == {"supervisor", "controller"}
    for running in killed:
        running.kill()
    deadline = time.monotonic() + 60
    while {p.role for p in warm.processes("dev")} < {"supervisor", "controller"}:
        assert time.monotonic() < deadline, warm.processes("dev")
        time.sleep(0.2)
    warm.agreement("dev").wait(60)
    after = warm.agreement("dev").look()
    assert (after.slot, after.release) == (before.slot, before.release)
