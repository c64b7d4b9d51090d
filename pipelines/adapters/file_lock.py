"""Waiting for a lock on an open file. The kernel frees it when its process ends."""

from __future__ import annotations

import fcntl
import time
from collections.abc import Callable


def wait_for_lock(
    file: int,
    seconds: float,
    late: Callable[[], Exception],
    *,
    shared: bool = False,
    poll_seconds: float = 0.05,
) -> None:
    """Return with the lock held. After `seconds` of trying raises what `late` makes."""
    kind = fcntl.LOCK_SH if shared else fcntl.LOCK_EX
    give_up = time.monotonic() + seconds
    while True:
        try:
            fcntl.flock(file, kind | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() > give_up:
                raise late() from None
        time.sleep(poll_seconds)
