"""What outlives a release: supervisor, database, services, controller. Killed, it comes back."""

from __future__ import annotations

import os
import signal
import socket
import sys
from pathlib import Path

import pytest

from pipelines.model.errors import Unavailable
from pipelines.model.live import Health
from pipelines.model.release import Release
from pipelines.model.slots import Slot
from pipelines.targets.local.target import LocalTarget
from tests.target_suite.local import running_target
from tests.target_suite.waiting import pids, staged, until

pytestmark = pytest.mark.local_only  # supervisor, sockets and base backups


def supervisor_pid(target: LocalTarget) -> int:
    return int(target.layout.supervisor_pidfile.read_text().split()[0])


def test_ensure_again_replaces_nothing(target: LocalTarget, first: Release) -> None:
    before = supervisor_pid(target), target.layout.postgres_data.joinpath("postmaster.pid")
    content = before[1].read_text()
    target.ensure(first)
    assert (supervisor_pid(target), before[1].read_text()) == (before[0], content)
    live = target.observe()
    assert (live.database, live.supervisor) == (Health.HEALTHY, Health.HEALTHY)


def test_after_kill_9_of_the_supervisor_everything_runs_again_with_the_same_traffic(
    target: LocalTarget, first: Release
) -> None:
    staged(target, Slot.BLUE, first)
    target.set_traffic(Slot.BLUE, live=True, wait_seconds=5)
    old = pids(target, Slot.BLUE)
    os.kill(supervisor_pid(target), signal.SIGKILL)
    until(lambda: not target.memory_bytes(Slot.BLUE), 5, "processes die with their supervisor")
    target.ensure(first)
    until(lambda: target.observe_slot(Slot.BLUE).health is Health.HEALTHY, 15, "healthy again")
    assert not set(old.values()) & set(pids(target, Slot.BLUE).values())
    assert target.set_traffic(Slot.BLUE, live=True, wait_seconds=5)


def test_a_halted_supervisor_is_woken(target: LocalTarget, first: Release) -> None:
    os.kill(supervisor_pid(target), signal.SIGSTOP)
    until(lambda: target.observe().supervisor is Health.MISSING, 5)
    target.ensure(first)
    assert target.observe().supervisor is Health.HEALTHY


@pytest.mark.parametrize("reused", [False, True], ids=["pid gone", "pid of somebody else"])
def test_after_kill_9_of_the_database_it_recovers(
    target: LocalTarget, first: Release, reused: bool
) -> None:
    pidfile = target.layout.postgres_data / "postmaster.pid"
    lines = pidfile.read_text().splitlines()
    os.kill(int(lines[0]), signal.SIGKILL)
    until(lambda: target.observe().database is Health.MISSING, 10)
    if reused:
        pidfile.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")
    assert target.read_row().down
    target.ensure(first)
    assert target.observe().database is Health.HEALTHY
    assert not target.read_row().down


def controller_without_supervisor(target: LocalTarget) -> int:
    """Pid of a controller that runs; its supervisor was killed."""
    target.ensure_controller([sys.executable, "-c", "import time; time.sleep(600)"])
    pidfile = target.layout.pidfile("controller")
    until(lambda: target.processes.alive(pidfile) is not None, 5, "controller runs")
    pid = target.processes.alive(pidfile)
    os.kill(supervisor_pid(target), signal.SIGKILL)
    until(lambda: target.observe().supervisor is Health.MISSING, 5)
    assert pid
    return pid


def test_the_controller_outlives_its_supervisor(target: LocalTarget, first: Release) -> None:
    pidfile = target.layout.pidfile("controller")
    pid = controller_without_supervisor(target)
    assert target.processes.alive(pidfile) == pid
    target.ensure(first)
    until(lambda: target.processes.alive(pidfile) not in (None, pid), 5, "a new controller")
    assert Path(f"/proc/{pid}").exists(), "the old one leaves by itself"
    os.kill(pid, signal.SIGKILL)
    target.stop_controller()
    assert target.processes.alive(pidfile) is None


def test_an_environment_whose_keepers_both_died_is_called_abandoned(
    target: LocalTarget, first: Release
) -> None:
    controller = controller_without_supervisor(target)
    assert not target.abandoned(), "the controller lives and will start the supervisor"
    os.kill(controller, signal.SIGKILL)
    until(target.abandoned, 5, "nobody keeps it")
    target.ensure(first)
    pidfile = target.layout.pidfile("controller")
    until(lambda: target.processes.alive(pidfile) is not None, 5, "the controller is back")
    target.stop_controller()
    os.kill(supervisor_pid(target), signal.SIGKILL)
    until(lambda: target.observe().supervisor is Health.MISSING, 5)
    assert not target.abandoned(), "it was told to stop"
    target.ensure(first)


def test_no_secret_is_in_an_argument_or_environment(target: LocalTarget, first: Release) -> None:
    staged(target, Slot.BLUE, first)
    secrets = [
        target.layout.installation.token_file.read_text().strip(),
        target.layout.admin_passfile.read_text().strip().rpartition(":")[2],
        target.layout.application_passfile.read_text().strip().rpartition(":")[2],
    ]
    for pid in [supervisor_pid(target), *pids(target, Slot.BLUE).values()]:
        for name in ("cmdline", "environ"):
            content = Path(f"/proc/{pid}/{name}").read_bytes().decode()
            assert not any(secret in content for secret in secrets)
    for path in (target.layout.admin_passfile, target.layout.installation.token_file):
        assert path.stat().st_mode & 0o777 == 0o600


def test_processes_hold_only_their_own_sockets(target: LocalTarget, first: Release) -> None:
    staged(target, Slot.BLUE, first)
    # A question that is just being answered is one socket more, for a moment.
    until(lambda: open_sockets(target) == {"web": 2, "worker": 1}, 5, "their own sockets only")


def open_sockets(target: LocalTarget) -> dict[str, int]:
    return {
        name: sum(
            os.readlink(f"/proc/{pid}/fd/{fd}").startswith("socket:")
            for fd in os.listdir(f"/proc/{pid}/fd")
        )
        for name, pid in pids(target, Slot.BLUE).items()
    }


def test_a_port_in_use_is_named_and_nothing_is_left(tmp_path: Path) -> None:
    with running_target(tmp_path) as (target, releases), socket.socket() as other:
        other.bind(("127.0.0.1", target.layout.live_port))
        other.listen()
        with pytest.raises(Unavailable, match=f"{target.layout.live_port}.*pid {os.getpid()}"):
            target.ensure(releases.make(1))
        assert target.observe().supervisor is Health.MISSING


def test_stop_all_leaves_no_process_behind(tmp_path: Path) -> None:
    with running_target(tmp_path) as (target, releases):
        release = releases.make(1)
        target.ensure(release)
        target.ensure_controller([sys.executable, "-c", "import time; time.sleep(600)"])
        staged(target, Slot.BLUE, release)
        target.stop_all()
        marker = str(target.layout.installation.state).encode()
        assert [pid for pid in os.listdir("/proc") if pid.isdigit() and mentions(pid, marker)] == []
        target.ensure(release)
        assert not target.read_row().down


def mentions(pid: str, marker: bytes) -> bool:
    try:
        content = Path(f"/proc/{pid}/environ").read_bytes()
        return marker in content + Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
