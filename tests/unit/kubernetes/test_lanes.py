"""The tests that need Kubernetes: none is left out, none runs twice, and one that hangs says where."""

from __future__ import annotations

import queue
import signal
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest

from tests.kubernetes.lanes import PYTEST, Run, end
from tests.kubernetes.suites import HERE, SUITES, Suite, paths

HANGS = """
import pathlib, time
def test_that_never_ends():
    pathlib.Path(__file__).with_name("begun").touch()
    time.sleep(600)
"""
ALONE = ["-p", "no:cacheprovider", "--rootdir"]


@pytest.fixture
def hanging(tmp_path: Path) -> Path:
    (tmp_path / "test_hangs.py").write_text(HANGS)
    return tmp_path


def test_every_file_is_in_exactly_one_suite() -> None:
    root = HERE.parents[1]
    times = Counter(path for suite in SUITES for path in paths(suite))
    assert times.pop("tests/target_suite") == 1
    assert times == {str(file.relative_to(root)): 1 for file in HERE.glob("test_*.py")}


def test_a_suite_without_files_yet_is_none() -> None:
    assert paths(Suite("nothing", 1, ("test_nobody_wrote_this*.py", "tests/nowhere"))) == []


def test_a_suite_over_its_limit_is_ended_and_told_so(
    hanging: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    run = Run(queue.SimpleQueue(), [*ALONE, str(hanging)])
    run.suite(Suite("slow", 1.0, (str(hanging),)), {})
    said = capfd.readouterr().out
    assert "slow: took longer than 1 s" in said
    assert all(line.startswith("slow:") for line in said.splitlines())
    assert run.ended["slow"][1] != 0


def test_what_is_ended_says_where_it_was(hanging: Path) -> None:
    process = subprocess.Popen(
        [*PYTEST, *ALONE, str(hanging), str(hanging)],
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    while not (hanging / "begun").exists():
        assert process.poll() is None
        time.sleep(0.05)
    end(process)
    assert process.stdout
    said = process.stdout.read()
    assert process.wait() == 2
    assert "test_hangs.py" in said
    assert "KeyboardInterrupt" in said
