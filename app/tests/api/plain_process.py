"""A process serving a tiny application through the gated server, for the tests of the switch.

`python plain_process.py NAME MODE`: MODE `drain` is the product's server; `kill` exits at once
on SIGUSR1 to idle; `close` closes every connection at once. The last two are how a switch must
not be done, and exist to show that the load generator notices.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from typing import Any

from trading.api.gate import Gate
from trading.api.server import serve
from trading.api.sockets import inherited
from trading.api.traffic_file import TrafficFile
from trading.settings import Settings


def application(name: str, gate: Gate) -> Any:
    """Answers every path with its name; WebSockets get numbers until the gate drains."""
    body = json.dumps({"release": name}).encode()
    start = {
        "type": "http.response.start",
        "status": 200,
        "headers": [
            (b"content-type", b"application/json"),
            (b"content-length", str(len(body)).encode()),
        ],
    }
    end = {"type": "http.response.body", "body": body}

    async def app(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
        elif scope["type"] == "http":
            more = True
            while more:
                more = (await receive()).get("more_body", False)
            await send(start)
            await send(end)
        else:
            await count(scope, receive, send)

    async def count(scope: dict[str, Any], receive: Any, send: Any) -> None:
        await receive()
        await send({"type": "websocket.accept"})
        query = dict(part.split("=") for part in scope["query_string"].decode().split("&"))
        number = int(query["since"])
        while not scope["state"]["gate"].draining:
            number += 1
            await send({"type": "websocket.send", "text": json.dumps({"seq": number})})
            await asyncio.sleep(0.02)
        await send(
            {"type": "websocket.send", "text": json.dumps({"type": "resume", "from": number})}
        )
        await send({"type": "websocket.close", "code": 1012})

    return app


class ClosingGate(Gate):
    """Closes connections where the real gate lets them leave."""

    __slots__ = ()

    def close(self) -> None:
        super().close()
        for connection in tuple(self._connections):
            # Of asyncio's private transport, which nobody but a test may close.
            connection.transport.close()  # type: ignore[attr-defined]


class KillingGate(Gate):
    """Ends the process where the real gate drains it."""

    __slots__ = ()

    def close(self) -> None:
        os._exit(0)


def main() -> int:
    name, mode = sys.argv[1:3]
    gates = {"close": ClosingGate, "kill": KillingGate}
    if mode in gates:
        from trading.api import server

        # In a process of its own that plays the broken gate: mypy takes no new class for a class.
        server.Gate = gates[mode]  # type: ignore[misc]
    settings = Settings.from_environment()
    return serve(
        lambda gate: application(name, gate),
        live=inherited(settings.live_fd, "SLIPWAY_LIVE_FD"),
        own=inherited(settings.slot_fd, "SLIPWAY_SLOT_FD"),
        traffic=TrafficFile(settings.traffic_file),
    )


if __name__ == "__main__":
    sys.exit(main())
