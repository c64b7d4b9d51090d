"""The program around a process that must be alone, run as it runs in a pod."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from pipelines.adapters.process import start_ticks
from pipelines.engine.charts import ChartRenderer
from tests.support.charts import CHARTS, objects, of_kind

PROGRAM = CHARTS / "trading" / "files" / "again.py"


def started(code: str, *args: str) -> subprocess.Popen[str]:
    argv = [sys.executable, "-I", str(PROGRAM), sys.executable, "-u", "-c", code, *args]
    return subprocess.Popen(argv, stdout=subprocess.PIPE, text=True)


def test_what_ends_well_is_started_again_and_what_fails_is_not(tmp_path: Path) -> None:
    code = (
        "import sys; from pathlib import Path; f = Path(sys.argv[1]);"
        "n = len(f.read_text()) if f.exists() else 0; f.write_text('x' * (n + 1));"
        "sys.exit(7 if n == 2 else 0)"
    )
    process = started(code, str(tmp_path / "starts"))
    said, _ = process.communicate(timeout=30)
    assert process.returncode == 7
    assert (tmp_path / "starts").read_text() == "xxx"
    assert said.count("started again") == 2


def test_sigterm_reaches_the_process_and_nothing_is_started_again(tmp_path: Path) -> None:
    code = (
        "import os, signal, sys, time; signal.signal(signal.SIGTERM, lambda *_: sys.exit(0));"
        "print(os.getpid()); time.sleep(60)"
    )
    process = started(code)
    assert process.stdout is not None
    child = int(process.stdout.readline())
    process.send_signal(signal.SIGTERM)
    began = time.monotonic()
    assert process.wait(timeout=10) == 0
    assert time.monotonic() - began < 5
    assert start_ticks(child) is None
    assert process.stdout.read() == ""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGKILL, 137), (signal.SIGSEGV, 139)])
def test_a_process_that_is_killed_is_left_to_the_kubelet(number: int, code: int) -> None:
    process = started(f"import os; os.kill(os.getpid(), {int(number)})")
    process.communicate(timeout=30)
    assert process.returncode == code


def test_only_processes_without_requests_run_in_it(renderer: ChartRenderer) -> None:
    for name, item in of_kind(objects(renderer, "trading"), "Deployment").items():
        (container,) = item["spec"]["template"]["spec"]["containers"]
        assert ("again.py" in str(container["command"])) is name.endswith("trader")
        assert container["command"][-3:] == ["python", "-m", "trading"]
