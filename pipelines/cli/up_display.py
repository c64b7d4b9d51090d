"""Steps of `slipway up` as they go: a live list on a terminal, plain lines when piped."""

from __future__ import annotations

import sys
import threading
from types import TracebackType
from typing import Any

import click

from pipelines.cli.progress import FINAL, Printer, line
from pipelines.flows.context import Progress


class Display:
    """Takes progress from several environments at once, each in a thread of its own."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._guard = threading.Lock()
        self._printer = Printer(quiet=quiet)
        self._running: dict[str, Progress] = {}
        self._live: Any = None

    def __enter__(self) -> Display:
        if not self._quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.live import Live

            self._live = Live(console=Console(stderr=True), refresh_per_second=8, transient=True)
            self._live.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._live is not None:
            self._live.stop()

    def __call__(self, event: Progress) -> None:
        with self._guard:
            if self._live is None:
                self._printer(event)
                return
            if event.status in FINAL:
                self._running.pop(event.environment, None)
                self._live.console.print(_rich(click.unstyle(line(event)), event.status))
            else:
                self._running[event.environment] = event
            self._live.update(self._table())

    def _table(self) -> Any:
        from rich.console import Group
        from rich.spinner import Spinner

        return Group(*(
            Spinner("dots", text=click.unstyle(line(event))[2:]) for event in self._running.values()
        ))  # fmt: skip


def _rich(text: str, status: str) -> Any:
    from rich.text import Text

    style = {"done": "green", "skipped": "dim"}.get(status, "red")
    return Text(text[:1], style=style) + Text(text[1:])
