"""A machine that misbehaves: ports in use, full disk, dead network, clock set back, sleep."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.harness.disk import fill, small_file_system
from tests.harness.installation import Installation, borrowed, git
from tests.harness.missing import missing
from tests.harness.releases import other_release, two_releases
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
        assert answer.code in (1, 2, 5), str(answer)
        assert str(other.port("staging", 2)) in answer.text
        assert not other.processes()
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
        assert answer.code in (1, 2, 5), str(answer)
        assert "space" in answer.text.lower() or "disk" in answer.text.lower()
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
    head = git(warm.checkout, "rev-parse", "HEAD")
    warm.commit(harmless("no network"), "Build without a network")
    built = warm.run("build", variables=dead)
    git(warm.checkout, "reset", "--quiet", "--hard", head)
    assert built.code == 0, str(built)
    promoted = warm.run("promote", "dev", built.data["release"], variables=dead)
    assert promoted.code == 0, str(promoted)
    back = warm.run("rollback", "dev", "--reason", "no network", variables=dead)
    assert back.code == 0, str(back)


def test_two_people_who_promote_at_once_get_one_winner(warm: Installation) -> None:
    row = warm.agreement("dev").row()
    release = other_release(warm, "dev")
    asked = [warm.start("promote", "dev", release, "--reason", f"person {n}") for n in range(2)]
    codes = sorted(process.wait(120) for process in asked)
    assert codes in ([0, 0], [0, 1], [0, 3]), [p.communicate() for p in asked]
    warm.agreement("dev").wait(30, release=release)
    assert warm.agreement("dev").row()["epoch"] == row["epoch"] + 1


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
    asked = warm.start("promote", "dev", other_release(warm, "dev"), "--reason", "sleep")
    time.sleep(2.0)
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
    asked.wait(120)
    warm.agreement("dev").wait(60)


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
