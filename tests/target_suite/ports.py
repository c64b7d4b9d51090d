"""Ports that nobody uses, asked from the operating system."""

from __future__ import annotations

import random
import socket


def free_base_port() -> int:
    """A base port with all thirty ports of an installation free."""
    for _ in range(200):
        base = random.randrange(20_000, 32_000, 40)
        if all(is_free(base + offset) for offset in range(30)):
            return base
    raise RuntimeError("no thirty free ports in a row")


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
