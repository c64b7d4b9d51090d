"""`trading serve api`: the application's HTTP server, made so that a switch of slots drops nothing.

`SLIPWAY_LIVE_FD` is the environment's listening socket, shared by both slots; `SLIPWAY_SLOT_FD`
is this slot's own, on which it always answers. `SLIPWAY_TRAFFIC_FILE` says `live` or `idle`. On a
cluster the process opens the one socket `SLIPWAY_LISTEN`, and the row says whether it is live.
"""

from __future__ import annotations

import signal
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from trading.api.gate import Gate
from trading.api.sockets import BACKLOG, by_hand, inherited, opened
from trading.api.traffic_file import TrafficFile
from trading.settings import Settings

if TYPE_CHECKING:
    import socket

    from trading.api.traffic_file import TrafficSource

DEFAULT_PORT = 8000
KEEP_ALIVE_SECONDS = 120
"""Longer than any usual client or balancer keeps a connection, so the client closes it first."""

Application = Callable[..., Any]


def serve(
    create: Callable[[Gate], Application],
    *,
    live: socket.socket | None,
    own: socket.socket | None,
    traffic: TrafficSource,
    shared: bool = True,
) -> int:
    """Serve `create(live gate)` until SIGTERM; returns the exit code.

    Blocks. `shared`: the live socket is not of this process alone.
    """
    import uvicorn

    from trading.api.gated_server import GatedServer

    live_gate = Gate(draining=True)
    config = uvicorn.Config(
        create(live_gate),
        loop="uvloop",
        http="httptools",
        ws="websockets-sansio",
        lifespan="on",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_SECONDS,
        timeout_graceful_shutdown=1,
        ws_ping_interval=20.0,
        ws_ping_timeout=20.0,
        ws_max_size=65_536,
        ws_per_message_deflate=False,  # 64 KiB and more a connection, for short messages
        backlog=BACKLOG,
    )
    server = GatedServer(
        config,
        live=live,
        own=own,
        gates=(live_gate, Gate()),
        traffic=traffic,
        shared=shared,
    )
    server.run()
    return 0 if server.started else 1


def main(port: int | None = None) -> int:
    """Run the API process until it is told to stop; returns the exit code.

    `port` is for a process run by hand: it binds 127.0.0.1 itself and is live from the start.
    Raises `SocketUnavailable` for descriptors or ports that cannot be used, and what reading
    the settings raises.
    """
    # Its default action would end the process while the interpreter is still importing; the
    # traffic file is read once the loop runs, so nothing is lost.
    signal.signal(signal.SIGUSR1, signal.SIG_IGN)
    settings = Settings.from_environment()
    live, own, traffic = _sockets(settings, port)
    from trading.api.app import create_app

    return serve(
        lambda gate: create_app(settings, gate),
        live=live,
        own=own,
        traffic=traffic,
        shared=settings.listen is None,
    )


def _sockets(
    settings: Settings, port: int | None
) -> tuple[socket.socket | None, socket.socket | None, TrafficSource]:
    """The live socket, the slot's own one, and who says whether this process is live. Without
    anybody who says so it is live from the start and stays so."""
    if settings.listen is not None:
        from trading.traffic_row import traffic_row

        source = traffic_row(settings) or TrafficFile(settings.traffic_file)
        return opened(settings.listen, port, "api"), None, source
    own = inherited(settings.slot_fd, "SLIPWAY_SLOT_FD")
    if port is None and (settings.live_fd is not None or own is not None):
        live = inherited(settings.live_fd, "SLIPWAY_LIVE_FD")
        return live, own, TrafficFile(settings.traffic_file)
    return by_hand(DEFAULT_PORT if port is None else port, "api"), None, TrafficFile(None)
