"""Progress on standard error: what happened, and how long it took."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager


def say(text: str, began: float | None = None) -> None:
    """`began`: `time.monotonic()` when it began; the seconds since are added."""
    took = "" if began is None else f" ({time.monotonic() - began:.1f} s)"
    print(f"  {text}{took}", file=sys.stderr, flush=True)


@contextmanager
def step(text: str) -> Iterator[None]:
    """Say it when it is done, with its seconds."""
    began = time.monotonic()
    yield
    say(text, began)
