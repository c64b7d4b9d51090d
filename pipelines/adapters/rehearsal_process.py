"""A process of the release before, with the sockets it inherits, for the length of a rehearsal."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from pipelines.adapters.http import PlainHttp
from pipelines.adapters.process import last_json
from pipelines.adapters.rehearsal_server import child
from pipelines.model.errors import SlipwayError
from pipelines.targets.local.layout import LOOPBACK

ANSWER_SECONDS = 2.0
_WORDS = 2_000
_BACKLOG = 128


class LocalRunning:
    """Implements Running."""

    def __init__(self, process: subprocess.Popen[bytes], port: int, log: Path) -> None:
        self._process, self._port, self._log = process, port, log

    def alive(self) -> bool:
        return self._process.poll() is None

    @property
    def address(self) -> str:
        return f"http://{LOOPBACK}:{self._port}"

    def get(self, path: str) -> tuple[int, str]:
        try:
            status, body = PlainHttp().get(f"tcp:{LOOPBACK}:{self._port}", path, ANSWER_SECONDS)
        except SlipwayError as error:
            return 0, f"{error.message} {self._words()}".strip()
        return status, body.decode("utf-8", "replace")

    def end(self, seconds: float) -> tuple[int | None, Any, str]:
        self._process.terminate()
        code: int | None = None
        with suppress(subprocess.TimeoutExpired):
            code = self._process.wait(seconds)
        self.kill()
        return code, last_json(self._text()), self._words()

    def kill(self) -> None:
        """Its group too, whatever it started."""
        with suppress(OSError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def _text(self) -> str:
        try:
            return self._log.read_text(errors="replace")
        except OSError:
            return ""

    def _words(self) -> str:
        return self._text()[-_WORDS:].strip()


@contextmanager
def started(
    argv: Sequence[str | Path],
    *,
    folder: Path,
    variables: Mapping[str, str],
    sockets: Sequence[str] = (),
) -> Iterator[LocalRunning]:
    """`folder` is where it works and where its log is. Its port is the first socket's, else 0."""
    with ExitStack() as stack:
        listening = {name: stack.enter_context(_listener()) for name in sockets}
        ports = [int(each.getsockname()[1]) for each in listening.values()]
        numbers = {name: each.fileno() for name, each in listening.items()}
        log = folder / "output.log"
        process = child(
            [str(word) for word in argv],
            folder=folder,
            log=log,
            variables={**variables, **{name: str(number) for name, number in numbers.items()}},
            keep=tuple(numbers.values()),
        )
        running = LocalRunning(process, ports[0] if ports else 0, log)
        try:
            yield running
        finally:
            running.kill()


def _listener() -> socket.socket:
    made = socket.socket()
    made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    made.bind((LOOPBACK, 0))
    made.listen(_BACKLOG)
    return made
