"""uvicorn's HTTP protocol, told which listening socket it came from and when to say goodbye."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from uvicorn.config import Config
    from uvicorn.server import ServerState

    from trading.api.gate import Gate


class GatedProtocol(HttpToolsProtocol):
    """One HTTP connection that ends with `Connection: close` when its gate is draining.

    Costs one attribute look-up a request while the gate is open. The gate is put into the ASGI
    scope's state as `gate`, so that a WebSocket knows whose connection it is.
    """

    gate: Gate

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        super().connection_made(transport)  # type: ignore[arg-type]
        self.gate.enter(self)

    def connection_lost(self, exc: Exception | None) -> None:
        super().connection_lost(exc)
        self.gate.leave(self)

    def handle_websocket_upgrade(self) -> None:
        # From here on another protocol owns the transport and this one hears no more of it;
        # the WebSocket endpoint enters the gate itself.
        self.gate.leave(self)
        super().handle_websocket_upgrade()

    def on_headers_complete(self) -> None:
        super().on_headers_complete()
        if self.gate.draining:
            self.drain()

    def drain(self) -> None:
        """End after the newest request's response, if that has not begun yet.

        An idle connection is left alone until its next request. A response whose header is out
        already promised to keep the connection, so that promise is kept.
        """
        cycle = self.pipeline[0][0] if self.pipeline else self.cycle
        # None between connecting and the first request (uvicorn's annotation leaves that out).
        if cycle is not None and not cycle.response_started:
            cycle.keep_alive = False


def protocol_factory(
    gate: Gate, config: Config, state: ServerState, app_state: dict[str, Any]
) -> Callable[[], asyncio.Protocol]:
    """A factory for `loop.create_server` whose connections belong to `gate`."""
    scope_state = {**app_state, "gate": gate}
    # A class for each gate: one more attribute on each connection would make all of them slower
    # (CPython stops sharing the keys of instances with more than 30).
    kind = type("GatedConnection", (GatedProtocol,), {"gate": gate})

    def create() -> asyncio.Protocol:
        connection: asyncio.Protocol = kind(
            config=config, server_state=state, app_state=scope_state
        )
        return connection

    return create
