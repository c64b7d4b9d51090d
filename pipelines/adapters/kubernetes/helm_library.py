"""Helm in process: its library, in one long-lived helper process spoken to over a pipe."""

from __future__ import annotations

import json
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.adapters.kubernetes import helm_text
from pipelines.model.errors import BadInput, Unavailable

_CHILD = Path(__file__).with_name("helm_child.py")
IDLE_SECONDS = 60.0
"""Then the helper's memory is given back; the next rendering waits 0.2 s for another one."""
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "HELM_C_LIB", "HOME")


class HelmLibrary:
    """`engine.charts.ChartRenderer`. The helper starts at the first rendering, is started again when
    it dies or takes too long, and ends with `close`, with this process or when nobody renders for
    `idle_seconds`. One rendering at a time; safe to use from several threads. `python` has the
    library; by default our own interpreter."""

    def __init__(
        self,
        seconds: float = helm_text.RENDER_SECONDS,
        python: Path | None = None,
        idle_seconds: float = IDLE_SECONDS,
    ) -> None:
        self._seconds, self._idle_seconds = seconds, idle_seconds
        self._used = 0.0
        self._python = str(python or sys.executable)
        self._guard = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._rest = b""

    def render(
        self, chart: Path, values: Sequence[Mapping[str, Any]], *, name: str, namespace: str
    ) -> str:
        """Raises BadInput with what schema or template refuse, Unavailable when the library is
        missing, dies twice or takes longer than the limit."""
        if not (chart / "Chart.yaml").is_file():
            raise BadInput(f"{chart} is not a chart: it has no Chart.yaml", hint="ls charts/")
        merged = helm_text.laid_over(values)
        ask = {
            "chart": str(chart.resolve()), "values": merged, "name": name, "namespace": namespace,
        }  # fmt: skip
        with self._guard:
            answer = self._asked(helm_text.as_json(ask))
        if "refused" in answer:
            raise helm_text.refused(chart.name, str(answer["refused"]))
        return helm_text.assembled(
            found
            for path, text in answer["documents"].items()
            if not path.endswith("NOTES.txt")
            for found in helm_text.documents(path, text)
        )

    def close(self) -> None:
        """The helper is gone afterwards. Rendering again starts another one."""
        with self._guard:
            self._end()

    def _asked(self, ask: str) -> dict[str, Any]:
        """A helper that died (somebody killed it, the machine had no memory) is replaced once."""
        line = ask.encode() + b"\n"
        for last in (False, True):
            try:
                answer = self._exchange(line, time.monotonic() + self._seconds)
            except (BrokenPipeError, EOFError):
                self._end()
                if last:
                    break
                continue
            if "broken" in answer:
                self._end()
                raise _missing(str(answer["broken"]))
            self._used = time.monotonic()
            return answer
        raise Unavailable(
            "Helm's library died twice over one rendering", hint="set HELM to use the program helm"
        )

    def _exchange(self, line: bytes, until: float) -> dict[str, Any]:
        if self._child is None:
            self._start()
            greeting = self._line(until)
            if "broken" in greeting:
                return greeting
        assert self._child is not None
        assert self._child.stdin is not None
        self._child.stdin.write(line)
        self._child.stdin.flush()
        return self._line(until)

    def _start(self) -> None:
        self._rest = b""
        kept = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
        self._child = subprocess.Popen(
            [self._python, "-I", str(_CHILD)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd="/",
            env={
                **kept,
                "LANG": "C.UTF-8",
                "GOMAXPROCS": "2",
                "GOGC": "400",
                "GOMEMLIMIT": "256MiB",
            },
            start_new_session=True,  # a person's Ctrl-C is answered by the parent
        )
        self._look_again(self._child, self._idle_seconds)

    def _look_again(self, child: subprocess.Popen[bytes], seconds: float) -> None:
        later = threading.Timer(seconds, self._end_when_idle, (child,))
        later.daemon = True
        later.start()

    def _end_when_idle(self, child: subprocess.Popen[bytes]) -> None:
        with self._guard:
            if self._child is not child:
                return
            left = self._used + self._idle_seconds - time.monotonic()
            if left <= 0:
                self._end()
            else:
                self._look_again(child, left)

    def _line(self, until: float) -> dict[str, Any]:
        assert self._child is not None
        assert self._child.stdout is not None
        descriptor = self._child.stdout.fileno()
        while b"\n" not in self._rest:
            left = until - time.monotonic()
            if left <= 0 or not select.select([descriptor], [], [], left)[0]:
                self._end()
                raise Unavailable(
                    f"Helm's library did not answer within {self._seconds:g} s; it was ended",
                    hint="look for an endless template in charts/, or try again",
                )
            found = os.read(descriptor, 1 << 20)
            if not found:
                raise EOFError
            self._rest += found
        line, _, self._rest = self._rest.partition(b"\n")
        answer: dict[str, Any] = json.loads(line)
        return answer

    def _end(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            if pipe is not None:
                try:
                    pipe.close()
                except OSError:
                    continue


def _missing(words: str) -> Unavailable:
    return Unavailable(
        f"Helm's library cannot be used: {words}",
        hint="install it with `uv pip install 'slipway[kubernetes]'`, or put helm on PATH",
    )
