"""One child process, seen from the judge: ask a line, get a line, within limits."""

from __future__ import annotations

import json
import os
import selectors
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Self

from trading.errors import SandboxUnavailable
from trading.examination.package import CHILD_PACKAGE, readable, sites
from trading.examination.subject.confine import Limits as ChildLimits

_START = (
    f"import sys; sys.path.insert(0, sys.argv[1]); from {CHILD_PACKAGE}.main import main; main()"
)
_ANSWER_BYTES = 2_000_000
_CHUNK = 65_536


@dataclass(frozen=True, slots=True)
class Bounds:
    """What one child may use. `answer_seconds`: of wall time for one answer."""

    memory_bytes: int
    cpu_seconds: int
    answer_seconds: float
    wall_seconds: float
    output_bytes: int


class SubjectStopped(Exception):
    """The child ended, or was ended. `kind` is FORBIDDEN, TIMEOUT, OUTPUT, MEMORY, GARBAGE, ENDED,
    or the name of the error that the strategy raised; the message says more. `survived`: it said
    so itself and goes on."""

    def __init__(self, kind: str, message: str, survived: bool = False) -> None:
        self.kind = kind
        self.survived = survived
        super().__init__(message)


class Child:
    """A strategy in its own process; use it with `with`, in the thread that made it.

    (A child dies with the thread that started it: PR_SET_PDEATHSIG.)
    """

    def __init__(
        self,
        folder: Path,
        wanted: Mapping[str, object],
        bounds: Bounds,
        *,
        hash_seed: int = 1,
        prices_present: bool = False,
    ) -> None:
        """`folder`: a copy of the package. `wanted`: plugin, name, symbols, capital, parameters."""
        self._bounds = bounds
        self._deadline = time.monotonic() + bounds.wall_seconds
        answers, write_end = os.pipe()
        limits = ChildLimits(bounds.memory_bytes, bounds.cpu_seconds)
        config = {
            "answers": write_end,
            "limits": asdict(limits),
            "readable": readable(folder),
            "sites": sites(),
            "present": ["trading.market_data.sample"] if prices_present else [],
            "wanted": dict(wanted),
        }
        try:
            self._process = subprocess.Popen(
                [sys.executable, "-s", "-S", "-B", "-P", "-c", _START, folder, json.dumps(config)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                pass_fds=(write_end,),
                env={"PYTHONHASHSEED": str(hash_seed), "LC_ALL": "C.UTF-8"},
                cwd="/",
                start_new_session=True,
            )
        finally:
            os.close(write_end)
        self._answers = answers
        self._buffer = b""
        self._noise = 0
        self._errors = b""
        self._selector = selectors.DefaultSelector()
        for stream, name in (
            (self._answers, "answers"),
            (self._process.stdout, "stdout"),
            (self._process.stderr, "stderr"),
        ):
            assert stream is not None
            self._selector.register(stream, selectors.EVENT_READ, name)
        try:
            self.started = self._answer()
        except BaseException:
            self.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def tell(self, request: Mapping[str, object]) -> None:
        """Send what has no answer. Raises `SubjectStopped`."""
        assert self._process.stdin is not None
        line = json.dumps(request, separators=(",", ":")).encode() + b"\n"
        os.set_blocking(self._process.stdin.fileno(), False)
        deadline = self._next_deadline()
        while line:
            try:
                line = line[os.write(self._process.stdin.fileno(), line) :]
            except BlockingIOError:
                self._wait(deadline)
            except BrokenPipeError:
                self._drain()
                raise self._ended() from None

    def ask(self, request: Mapping[str, object]) -> dict[str, Any]:
        """Send a request and return its answer. Raises `SubjectStopped`."""
        self.tell(request)
        return self._answer()

    def close(self) -> None:
        """Kill it if it still runs, and take the handles back."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.kill()
        self._process.wait()
        self._selector.close()
        for stream in (self._process.stdin, self._process.stdout, self._process.stderr):
            if stream is not None:
                with suppress(BrokenPipeError):
                    stream.close()
        with suppress(OSError):
            os.close(self._answers)

    def _answer(self) -> dict[str, Any]:
        deadline = self._next_deadline()
        while b"\n" not in self._buffer:
            if not self._wait(deadline):
                raise self._ended()
        line, _, self._buffer = self._buffer.partition(b"\n")
        try:
            answer = json.loads(line)
        except (ValueError, RecursionError):
            answer = None
        if not isinstance(answer, dict):
            raise SubjectStopped("GARBAGE", f"it answered no JSON object: {line[:80]!r}")
        if answer.get("error") == "NO_WALLS":
            raise SandboxUnavailable(
                f"the sandbox cannot be set up: {answer.get('message')}; nothing was examined",
            )
        if "error" in answer:
            kind = str(answer["error"])
            raise SubjectStopped(kind, str(answer.get("message", ""))[:2000], kind != "FORBIDDEN")
        return answer

    def _next_deadline(self) -> float:
        return min(self._deadline, time.monotonic() + self._bounds.answer_seconds)

    def _wait(self, deadline: float) -> bool:
        """Read what is there; False when the answers' end was closed. Raises on any limit."""
        left = deadline - time.monotonic()
        if left <= 0:
            raise self._too_slow()
        events = self._selector.select(min(left, 0.05))  # `tell` waits to write
        return all([self._read(key.fd, key.data) for key, _ in events])

    def _read(self, descriptor: int, name: str) -> bool:
        chunk = os.read(descriptor, _CHUNK)
        if name == "answers":
            self._buffer += chunk
            if len(self._buffer) > _ANSWER_BYTES:
                raise SubjectStopped("OUTPUT", f"one answer has more than {_ANSWER_BYTES} bytes")
            return bool(chunk)
        if not chunk:
            self._selector.unregister(descriptor)
        self._noise += len(chunk)
        if name == "stderr":
            self._errors = (self._errors + chunk)[-2000:]
        if self._noise > self._bounds.output_bytes:
            self._process.kill()
            raise SubjectStopped(
                "OUTPUT", f"it printed more than {self._bounds.output_bytes:,} bytes; print nothing"
            )
        return True

    def _drain(self) -> None:
        """After the child ended: take its last words, which may be the reason."""
        while b"\n" not in self._buffer and self._wait(time.monotonic() + 1):
            pass

    def _too_slow(self) -> SubjectStopped:
        self._process.kill()
        if time.monotonic() >= self._deadline:
            return SubjectStopped("TIMEOUT", f"it ran longer than {self._bounds.wall_seconds:g} s")
        return SubjectStopped(
            "TIMEOUT", f"no answer within {self._bounds.answer_seconds:g} s: does it loop?"
        )

    def _ended(self) -> SubjectStopped:
        if b"\n" in self._buffer:
            try:
                self._answer()
            except SubjectStopped as stopped:
                return stopped
        code = self._process.wait()
        if code in (-signal.SIGXCPU, -signal.SIGKILL):
            return SubjectStopped(
                "TIMEOUT", f"it used its {self._bounds.cpu_seconds} s of CPU time: does it loop?"
            )
        words = self._errors.decode("utf-8", "replace").strip().splitlines()
        if words and "MemoryError" in words[-1]:
            return SubjectStopped("MEMORY", "out of memory")
        why = f"signal {-code}" if code < 0 else f"exit code {code}"
        return SubjectStopped("ENDED", f"it ended with {why}{': ' + words[-1] if words else ''}")
