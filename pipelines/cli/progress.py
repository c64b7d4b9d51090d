"""Progress of one operation on standard error: a moving line on a terminal, plain lines else."""

from __future__ import annotations

import shutil
import sys
import time

import click

from pipelines.flows.context import Progress

PIPED_INTERVAL_SECONDS = 5.0
FINAL = ("done", "failed", "skipped", "undone", "refused")
SIGNS = {"done": ("✓", "green"), "failed": ("✗", "red"), "skipped": ("·", "white"),
         "undone": ("↩", "yellow"), "refused": ("✗", "red")}  # fmt: skip


def line(event: Progress) -> str:
    """`✓ verify      2.1 s  five checks`."""
    sign, colour = SIGNS.get(event.status, ("…", "cyan"))
    took = f"{event.seconds:6.1f} s" if event.seconds else " " * 8
    text = f"{event.environment:<10} {event.step:<10} {took}  {event.detail}".rstrip()
    return f"{click.style(sign, fg=colour)} {text}"


class Printer:
    """Callable given to a context. Silent when the answer is for a program."""

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._terminal = sys.stderr.isatty()
        self._said: dict[str, float] = {}
        self._moving = False

    def __call__(self, event: Progress) -> None:
        if self._quiet:
            return
        if event.status in FINAL:
            self._erase()
            click.echo(line(event), err=True)
        elif self._terminal:
            self._erase()
            click.echo(line(event)[: shutil.get_terminal_size().columns - 1], err=True, nl=False)
            self._moving = True
        elif time.monotonic() - self._said.get(event.step, 0.0) >= PIPED_INTERVAL_SECONDS:
            self._said[event.step] = time.monotonic()
            click.echo(line(event), err=True)

    def _erase(self) -> None:
        if self._moving:
            click.echo("\r\033[K", err=True, nl=False)
            self._moving = False
