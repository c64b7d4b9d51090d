"""Progress of one operation on standard error: a moving line on a terminal, plain lines else."""

from __future__ import annotations

import shutil
import sys
import threading

import click

from pipelines.flows.context import Progress

LATE_SECONDS = 2.0
LONGEST_DETAIL = 100
FINAL = ("done", "failed", "skipped", "undone", "refused")
SIGNS = {"done": ("✓", "green"), "failed": ("✗", "red"), "skipped": ("·", "white"),
         "undone": ("↩", "yellow"), "refused": ("✗", "red")}  # fmt: skip


def line(event: Progress) -> str:
    """`✓ verify      2.1 s  five checks`."""
    sign, colour = SIGNS.get(event.status, ("…", "cyan"))
    took = f"{event.seconds:6.1f} s" if event.seconds else " " * 8
    where = f"{event.environment:<10} " if event.environment else ""
    text = f"{where}{event.step:<10} {took}  {shorten(event.detail)}".rstrip()
    return f"{click.style(sign, fg=colour)} {text}"


def shorten(words: str) -> str:
    """One line; the whole of it stands in `slipway history -o json`."""
    first = words.partition("\n")[0]
    return first if len(first) <= LONGEST_DETAIL else first[: LONGEST_DETAIL - 1] + "…"


class Printer:
    """Callable given to a context. Silent when the answer is for a program.

    Piped, a step says that it runs only when it takes longer than two seconds.
    """

    def __init__(self, *, quiet: bool = False) -> None:
        self._quiet = quiet
        self._terminal = sys.stderr.isatty()
        self._late: dict[str, threading.Timer] = {}
        self._said: dict[str, tuple[str, str]] = {}
        self._moving = False

    def __call__(self, event: Progress) -> None:
        if self._quiet:
            return
        if event.status in FINAL:
            self._cancel(event.environment)
            self._erase()
            self._print(line(event))
        elif self._terminal:
            self._erase()
            self._print(line(event)[: shutil.get_terminal_size().columns - 1], nl=False)
            self._moving = True
        elif event.environment not in self._late and not self._said_already(event):
            timer = threading.Timer(LATE_SECONDS, self._say_late, [event])
            timer.daemon = True
            self._late[event.environment] = timer
            timer.start()

    def _said_already(self, event: Progress) -> bool:
        return self._said.get(event.environment) == (event.step, event.detail)

    def _say_late(self, event: Progress) -> None:
        self._late.pop(event.environment, None)
        self._said[event.environment] = (event.step, event.detail)
        self._print(line(event))

    def _cancel(self, environment: str) -> None:
        timer = self._late.pop(environment, None)
        if timer is not None:
            timer.cancel()

    def _erase(self) -> None:
        if self._moving:
            self._print("\r\033[K", nl=False)
            self._moving = False

    def _print(self, text: str, *, nl: bool = True) -> None:
        """Whoever closes the pipe, as `head` does, does not end the operation with it."""
        try:
            click.echo(text, err=True, nl=nl)
        except BrokenPipeError:
            self._quiet = True
