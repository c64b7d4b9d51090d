"""All tests that need Kubernetes: two lanes side by side, each with a test cluster of its own.

python -m tests.kubernetes.lanes [--only SUITE]… [--thorough] [PYTEST ARGUMENT…]

A lane takes one suite (tests/kubernetes/suites.py) after another; what stops the control plane of its
cluster disturbs nobody. Images that several suites need are made once, in one engine of all lanes. With
SLIPWAY_TEST_CLUSTER or KUBECONFIG there is one lane, on that cluster.
Every line says which suite it is from as soon as it is written. With `--thorough` every case of every
test runs (tests/kubernetes/thorough.py): twenty minutes more of `releases`.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import queue
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import psutil

from tests.cluster import docker, lifecycle, machine, tools
from tests.cluster.errors import ClusterError
from tests.cluster.folder import Folder
from tests.kubernetes.image_shelf import VARIABLE as SHELF
from tests.kubernetes.suites import SUITES, Suite, paths

LANES = 2
ENDING_SECONDS = 20.0
"""For fixtures to take back what they made, once a suite is told to end."""
NOTHING_COLLECTED = 5
THOROUGH_TIMES = 5
"""As long as usual, for the limits of suites of which every case runs."""
PYTEST = (
    *(sys.executable, "-m", "pytest", "-v", "-rs", "--durations=5"),
    *("-p", "tests.kubernetes.tell_at_once", "--tb=short"),
    *("--timeout=900", "-o", "timeout_func_only=true"),
)
"""Each test on a line of its own, as soon as it ended: some take minutes. A test that hangs is ended
before its suite is; an installation that many share is no test's time."""
MARK = "KUBERNETES_SUITE_MARK"
"""What a suite starts carries it in its environment. Commands of an installation do not get what
begins with SLIPWAY_."""
_TALKING = threading.Lock()


def say(words: str) -> None:
    with _TALKING:
        print(words, flush=True)


@dataclass
class Run:
    """What becomes of the suites; shared by all lanes."""

    waiting: queue.SimpleQueue[Suite]
    arguments: Sequence[str]
    images: Mapping[str, str] = field(default_factory=dict)
    running: dict[str, subprocess.Popen[str]] = field(default_factory=dict)
    ended: dict[str, tuple[float, int]] = field(default_factory=dict)
    stopping: threading.Event = field(default_factory=threading.Event)

    def suite(self, suite: Suite, variables: dict[str, str]) -> None:
        """Run it to its end or its limit, and tell every line."""
        chosen = paths(suite)
        if not chosen or self.stopping.is_set():
            return
        began, mark = time.monotonic(), secrets.token_hex(8)
        shared = {} if suite.own_images else self.images
        say(f"{suite.name}: begins (limit {suite.limit_seconds:.0f} s): {' '.join(chosen)}")
        process = subprocess.Popen(
            [*PYTEST, *chosen, *self.arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            start_new_session=True,
            env={**os.environ, **shared, **suite.variables, **variables, MARK: mark},
        )
        self.running[suite.name] = process
        clock = threading.Timer(suite.limit_seconds, self._too_long, (suite, process))
        clock.daemon = True
        clock.start()
        try:
            assert process.stdout
            for line in process.stdout:
                say(f"{suite.name}: {line.rstrip()}")
            code = process.wait()
        finally:
            clock.cancel()
            del self.running[suite.name]
            sweep(suite.name, mark)
        self.ended[suite.name] = time.monotonic() - began, 0 if code == NOTHING_COLLECTED else code
        say(f"{suite.name}: ended after {time.monotonic() - began:.0f} s, exit code {code}")

    def _too_long(self, suite: Suite, process: subprocess.Popen[str]) -> None:
        say(f"{suite.name}: took longer than {suite.limit_seconds:.0f} s and is ended here:")
        end(process)

    def stop(self) -> None:
        """End all suites that run; no other begins."""
        self.stopping.set()
        every = [threading.Thread(target=end, args=(one,)) for one in [*self.running.values()]]
        for thread in every:
            thread.start()
        for thread in every:
            thread.join()


def end(process: subprocess.Popen[str]) -> None:
    """As Ctrl-C does, so that pytest says where it was and takes back what it made; then by force."""
    with contextlib.suppress(ProcessLookupError):
        process.send_signal(signal.SIGINT)
        deadline = time.monotonic() + ENDING_SECONDS
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.1)
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)


def sweep(name: str, mark: str) -> None:
    """End, by id, what a suite left running: where it was ended by force, an engine of Docker."""
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.environ().get(MARK) == mark:
                say(f"{name}: left running and ended now: {process.pid} {process.name()}")
                process.kill()


@contextlib.contextmanager
def cluster() -> Iterator[dict[str, str]]:
    """The variables that name the cluster of a lane: the given one, or one made for it."""
    if os.environ.get("SLIPWAY_TEST_CLUSTER") or os.environ.get("KUBECONFIG"):
        yield {}
        return
    folder = Folder(Path(tempfile.mkdtemp(prefix="slipway-lane-", dir="/tmp")))
    try:
        lifecycle.up(folder)
        yield {"SLIPWAY_TEST_CLUSTER": str(folder.path)}
    finally:
        lifecycle.down(folder)
        shutil.rmtree(folder.path, ignore_errors=True)


@contextlib.contextmanager
def images() -> Iterator[dict[str, str]]:
    """The variables by which suites share images; none where an engine is given."""
    if os.environ.get("DOCKER_HOST"):
        yield {}
        return
    folder = Folder(Path(tempfile.mkdtemp(prefix="slipway-images-", dir="/tmp")))
    try:
        with docker.engine(folder) as host:
            yield {"DOCKER_HOST": host, SHELF: str(folder.path)}
    finally:
        shutil.rmtree(folder.path, ignore_errors=True)


def lane(run: Run, failures: list[str]) -> None:
    """One suite after another, until none waits."""
    try:
        with cluster() as variables, contextlib.suppress(queue.Empty):
            while not run.stopping.is_set():
                run.suite(run.waiting.get_nowait(), variables)
    except (ClusterError, OSError) as problem:
        hint = getattr(problem, "hint", "")
        failures.append(f"{problem}{f' ({hint})' if hint else ''}")


def run_all(
    suites: Sequence[Suite], arguments: Sequence[str], lanes: int, shared: Mapping[str, str]
) -> int:
    """Exit code 1 when a test failed, a suite took too long or did not run."""
    run = Run(queue.SimpleQueue(), arguments, shared)
    wanted = [suite for suite in suites if paths(suite)]
    for suite in wanted:
        run.waiting.put(suite)
    failures: list[str] = []
    threads = [threading.Thread(target=lane, args=(run, failures)) for _ in range(lanes)]
    for thread in threads:
        thread.start()
    try:
        for thread in threads:
            thread.join()
    except KeyboardInterrupt:
        say("ends here: told to")
        run.stop()
        for thread in threads:
            thread.join()
    for problem in failures:
        say(f"Error: {problem}")
    for suite in wanted:
        seconds, code = run.ended.get(suite.name, (0.0, -1))
        say(f"{suite.name:12} {seconds:5.0f} s  {_words(code)}")
    return int(any(run.ended.get(suite.name, (0.0, -1))[1] for suite in wanted))


def _words(code: int) -> str:
    return {0: "good", -1: "did not run to its end"}.get(code, f"exit code {code}")


def _told(*_: object) -> None:
    """Once: make and what limits its time both pass the signal on."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    raise KeyboardInterrupt


def main() -> int:
    """Exit codes: 0 all good; 1 something failed; 2 this machine cannot."""
    parser = argparse.ArgumentParser(prog="python -m tests.kubernetes.lanes")
    parser.add_argument("--only", action="append", choices=[suite.name for suite in SUITES])
    parser.add_argument("--thorough", action="store_true")
    asked, arguments = parser.parse_known_args()
    # A shell's background command has SIGINT ignored, and pytest would inherit it.
    signal.signal(signal.SIGINT, _told)
    signal.signal(signal.SIGTERM, _told)
    given = bool(os.environ.get("SLIPWAY_TEST_CLUSTER") or os.environ.get("KUBECONFIG"))
    try:
        if not given:
            machine.for_everything()
            tools.build_all()
        suites = [suite for suite in SUITES if not asked.only or suite.name in asked.only]
        if asked.thorough:
            suites = [
                replace(one, limit_seconds=one.limit_seconds * THOROUGH_TIMES) for one in suites
            ]
        else:
            arguments = ["-m", "not thorough", *arguments]
        with images() as shared:
            return run_all(suites, arguments, 1 if given else min(LANES, len(suites)), shared)
    except ClusterError as problem:
        print(f"Error: {problem.message}\n  {problem.hint}", file=sys.stderr)
        return problem.code


if __name__ == "__main__":
    raise SystemExit(main())
