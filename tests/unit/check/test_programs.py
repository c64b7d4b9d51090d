"""Programs of a check end in time, in bounds, and leave nothing behind."""

from __future__ import annotations

import os
import sys
import threading
import time
from pathlib import Path

import pytest

from pipelines.adapters import programs as module
from pipelines.adapters.programs import LocalPrograms, end_left_overs


@pytest.fixture
def programs(tmp_path: Path) -> LocalPrograms:
    return LocalPrograms(tmp_path)


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] not in "ZX"
    except OSError:
        return False


def _gone(pid: int) -> bool:
    until = time.monotonic() + 5
    while _alive(pid) and time.monotonic() < until:
        time.sleep(0.02)
    return not _alive(pid)


def test_code_output_and_input_go_through(programs: LocalPrograms, tmp_path: Path) -> None:
    done = programs.run(
        ["sh", "-c", "cat; echo bad >&2; exit 3"], folder=tmp_path, seconds=10, stdin="given"
    )
    assert (done.code, done.out, done.err, done.why) == (3, "given", "bad\n", "")


def test_a_program_that_hangs_is_ended(programs: LocalPrograms, tmp_path: Path) -> None:
    done = programs.run(["sleep", "60"], folder=tmp_path, seconds=0.3)
    assert (done.code, done.why) == (None, "timeout")
    assert done.seconds < 5


def test_a_program_that_floods_is_ended(programs: LocalPrograms, tmp_path: Path) -> None:
    done = programs.run(["yes"], folder=tmp_path, seconds=30, output_bytes=10_000)
    assert (done.code, done.why) == (None, "output")
    assert len(done.out) <= 10_000


def test_a_program_that_eats_memory_is_stopped_by_the_limit(
    programs: LocalPrograms, tmp_path: Path
) -> None:
    eats = [sys.executable, "-c", "x = bytearray(2 << 30)"]
    done = programs.run(eats, folder=tmp_path, seconds=30, memory_bytes=1 << 30)
    assert (done.code, "MemoryError" in done.err) == (1, True)
    assert programs.run(eats, folder=tmp_path, seconds=30, memory_bytes=4 << 30).code == 0


def test_a_missing_program_with_a_limit_is_no_success(
    programs: LocalPrograms, tmp_path: Path
) -> None:
    done = programs.run([tmp_path / "nothing"], folder=tmp_path, seconds=5, memory_bytes=1 << 30)
    assert done.code == 127


def test_a_missing_program_is_said_to_be_missing(programs: LocalPrograms, tmp_path: Path) -> None:
    done = programs.run([tmp_path / "nothing"], folder=tmp_path, seconds=1)
    assert (done.code, done.why) == (None, "missing")


def test_what_a_program_leaves_running_ends_with_it(
    programs: LocalPrograms, tmp_path: Path
) -> None:
    script = "sleep 60 & echo $!; setsid sleep 61 & echo $!"
    done = programs.run(["sh", "-c", script], folder=tmp_path, seconds=10)
    pids = [int(word) for word in done.out.split()]
    assert len(pids) == 2
    assert all(_gone(pid) for pid in pids)


def test_a_daemon_with_an_environment_of_its_own_ends_with_the_workshop(
    programs: LocalPrograms, tmp_path: Path
) -> None:
    script = f"env -i setsid sh -c 'sleep 60; : {tmp_path}/data' & echo $!"
    done = programs.run(["sh", "-c", script], folder=tmp_path, seconds=10)
    programs.close()
    assert _gone(int(done.out))


def test_nothing_of_the_person_s_shell_is_passed_on(
    programs: LocalPrograms, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "not-for-you")
    monkeypatch.setenv("PYTHONPATH", "/somewhere")
    done = programs.run(["env"], folder=tmp_path, seconds=10, variables={"ASKED": "yes"})
    names = {line.partition("=")[0] for line in done.out.splitlines()}
    assert not names & {"AWS_SECRET_ACCESS_KEY", "PYTHONPATH"}
    assert f"HOME={tmp_path}\n" in done.out
    assert "ASKED=yes\n" in done.out


def test_stop_ends_what_runs_and_starts_nothing_more(
    programs: LocalPrograms, tmp_path: Path
) -> None:
    threading.Timer(0.3, programs.stop).start()
    done = programs.run(["sleep", "60"], folder=tmp_path, seconds=30)
    assert (done.code, done.why) == (None, "stopped")
    assert programs.run(["true"], folder=tmp_path, seconds=5).why == "stopped"


def test_children_of_a_check_that_was_killed_are_ended_by_the_next_one(tmp_path: Path) -> None:
    code = (
        "import sys, pathlib; from pipelines.adapters.programs import LocalPrograms;"
        "LocalPrograms(pathlib.Path(sys.argv[1]))"
        ".run(['sh', '-c', 'echo $$ > pid; sleep 60'], folder=pathlib.Path(sys.argv[1]), seconds=50)"
    )
    check = os.spawnv(os.P_NOWAIT, sys.executable, [sys.executable, "-c", code, str(tmp_path)])
    pid = tmp_path / "pid"
    until = time.monotonic() + 20
    while not (pid.exists() and pid.read_text()) and time.monotonic() < until:
        time.sleep(0.02)
    child = int(pid.read_text())
    os.kill(check, 9)
    os.waitpid(check, 0)
    assert _alive(child)
    end_left_overs()
    assert _gone(child)


def test_children_of_a_check_that_lives_are_left_alone(tmp_path: Path) -> None:
    programs = LocalPrograms(tmp_path)
    results = []
    thread = threading.Thread(
        target=lambda: results.append(programs.run(["sleep", "1"], folder=tmp_path, seconds=9))
    )
    thread.start()
    time.sleep(0.3)
    end_left_overs()
    thread.join()
    assert results[0].code == 0


def test_the_marker_names_this_very_process() -> None:
    pid, ticks, _ = module.own_marker().split("-")
    assert int(pid) == os.getpid()
    assert int(ticks) > 0
