"""Free blocks of TCP ports for an installation."""

from __future__ import annotations

import random
import socket

BLOCK = 30


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def free_block() -> int:
    """First of 30 ports that are all free now, below the range the kernel hands out to clients."""
    for _ in range(200):
        base = random.randrange(20_000, 32_000 - BLOCK, 10)
        if all(_is_free(base + offset) for offset in range(BLOCK)):
            return base
    raise RuntimeError("no 30 free ports in a row between 20000 and 32000")
