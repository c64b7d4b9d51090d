"""Stages of a check as they go: a live list on a terminal, a line for each end when piped."""

from __future__ import annotations

import sys
import threading
import time
from types import TracebackType
from typing import Any

import click

from pipelines.cli.check_table import SIGNS
from pipelines.flows.check import Event
from pipelines.stages.report_text import plain

RUNNING = "running"
_LONGEST = 60


class CheckDisplay:
    """Called from several threads. Silent when the answer is for a program."""

    def __init__(self, *, quiet: bool) -> None:
        self._quiet = quiet
        self._guard = threading.Lock()
        self._stages: dict[str, tuple[Event, float]] = {}
        self._live: Any = None

    def __enter__(self) -> CheckDisplay:
        if not self._quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.live import Live

            self._live = Live(
                console=Console(stderr=True),
                refresh_per_second=8,
                transient=True,
                get_renderable=self._table,
            )
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

    def __call__(self, event: Event) -> None:
        with self._guard:
            _, began = self._stages.get(event.stage, (event, time.monotonic()))
            self._stages[event.stage] = (event, began)
        if not self._quiet and self._live is None and event.status != RUNNING:
            sign, colour = SIGNS.get(event.status, ("?", "red"))
            took = "cached" if event.cached else f"{event.seconds:.1f} s"
            words = f" {event.stage:<11}{took:>8}   {plain(event.detail, 100)}"
            click.echo(click.style(sign, fg=colour) + words, err=True)

    def _table(self) -> Any:
        from rich.console import Group
        from rich.spinner import Spinner
        from rich.text import Text

        rows: list[Any] = []
        with self._guard:
            stages = list(self._stages.values())
        for event, began in stages:
            if event.status == RUNNING:
                took = f"{time.monotonic() - began:.0f} s"
                words = f"{event.stage:<11}{took:>8}   {plain(event.detail, _LONGEST)}"
                rows.append(Spinner("dots", text=words))
            else:
                sign, colour = SIGNS.get(event.status, ("?", "red"))
                took = "cached" if event.cached else f"{event.seconds:.1f} s"
                words = f" {event.stage:<11}{took:>8}   {plain(event.detail, _LONGEST - 10)}"
                rows.append(Text(sign, style=colour) + Text(words, overflow="ellipsis"))
        return Group(*rows)
