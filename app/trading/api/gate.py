"""Whether connections of one listening socket are taken, and how the open ones come to an end.

A gate knows the connections that came through its socket. A closed one says `Connection: close` to
each, also to those that come later: where the process has a socket of its own (on a cluster) it
goes on accepting. Closing the gate never closes a connection: a client may be about to send a
request on it, and would see a reset. Instead the next response on each connection says
`Connection: close`, and the client itself moves on.
"""

from __future__ import annotations

from enum import StrEnum
from typing import Protocol


class Traffic(StrEnum):
    """What a slot's process does with the environment's live socket."""

    LIVE = "live"
    DRAINING = "draining"
    IDLE = "idle"


class Drainable(Protocol):
    """An open connection that can be asked to come to an end in its own time."""

    def drain(self) -> None: ...


class Gate:
    """The connections of one listening socket, and whether they are being drained."""

    __slots__ = ("_connections", "_leaving", "draining")

    def __init__(self, *, draining: bool = False) -> None:
        self._connections: set[Drainable] = set()
        self._leaving: set[Drainable] = set()
        self.draining = draining

    def enter(self, connection: Drainable) -> None:
        """Count a connection in; while draining it is told so at once."""
        self._connections.add(connection)
        if self.draining:
            connection.drain()

    def leave(self, connection: Drainable) -> None:
        """Count a connection out; leaving twice is harmless."""
        self._connections.discard(connection)
        self._leaving.discard(connection)

    def open(self) -> None:
        """Stop draining: connections still open become ordinary ones again."""
        self.draining = False
        self._leaving.clear()

    def close(self) -> None:
        """Ask every open connection to end after its next response."""
        self.draining = True
        self._leaving.update(self._connections)
        for connection in tuple(self._connections):
            connection.drain()

    @property
    def traffic(self) -> Traffic:
        """`draining` until the last connection of its live time has left, then `idle`."""
        if not self.draining:
            return Traffic.LIVE
        return Traffic.DRAINING if self._leaving else Traffic.IDLE

    def __len__(self) -> int:
        return len(self._connections)
