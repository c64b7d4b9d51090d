"""uvicorn's server on two listening sockets, one of which can be taken and left at run time.

The live socket is shared with the other slot's process. Taking it means listening on a duplicate
of the descriptor, leaving it means closing that duplicate; the socket itself and its queue of
waiting connections belong to the environment, so nobody is refused during a switch. uvloop is
required, not preferred: it builds the transport inside the accept callback, while asyncio's own
loop does so later, and drops a connection accepted just before the listener was closed.
"""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import uvicorn

from trading.api.connections import protocol_factory
from trading.api.sockets import BACKLOG

if TYPE_CHECKING:
    import socket

    from trading.api.gate import Gate
    from trading.api.traffic_file import TrafficSource

TICK_SECONDS = 1.0
GRACE_SECONDS = 3.0
"""How long SIGTERM waits for clients to leave by themselves; with the rest less than 5 s."""
LINGER_SECONDS = 2.0
"""Of that: how long new connections are taken after SIGTERM on a socket of one's own. A cluster
sends it while its nodes still learn that this process is going."""


class GatedServer(uvicorn.Server):
    """Serves one application on the live socket (when told to) and on the slot's own socket.

    SIGUSR1 reads the traffic file again; SIGTERM and SIGINT drain both sockets and stop. A live
    socket that is not `shared` with another slot is never left: idle only means goodbye to each.
    """

    def __init__(
        self,
        config: uvicorn.Config,
        *,
        live: socket.socket | None,
        own: socket.socket | None,
        gates: tuple[Gate, Gate],
        traffic: TrafficSource,
        shared: bool = True,
    ) -> None:
        super().__init__(config)
        self._live_socket = live
        self._own_socket = own
        self._live_gate, self._own_gate = gates
        self._traffic = traffic
        self._shared = shared
        self._live_listener: asyncio.AbstractServer | None = None
        self._wake = asyncio.Event()

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Signals wake the loop at once; uvicorn's handlers are noticed only at the next tick."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGUSR1, self._wake_for_traffic)
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._wake_for_exit)
        yield

    def _wake_for_traffic(self) -> None:
        self._traffic.read()
        self._wake.set()

    def _wake_for_exit(self) -> None:
        self.should_exit = True
        self._wake.set()

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen on the slot's own socket, and on the live one if the traffic file says so."""
        await self.lifespan.startup()
        if self.lifespan.should_exit:
            raise SystemExit(uvicorn.config.STARTUP_FAILURE)
        self.servers = []
        if self._own_socket is not None:
            self.servers.append(await self._listen(self._own_socket, self._own_gate))  # type: ignore[arg-type]
        self._traffic.read()
        await self._follow_traffic()
        self.started = True

    async def _listen(self, listener: socket.socket, gate: Gate) -> asyncio.AbstractServer:
        factory = protocol_factory(gate, self.config, self.server_state, self.lifespan.state)
        return await asyncio.get_running_loop().create_server(
            factory, sock=listener.dup(), backlog=BACKLOG
        )

    async def _follow_traffic(self) -> None:
        """Make the listener and the gate agree with the word about traffic."""
        if self._live_socket is None:
            return
        live, gate = self._traffic.live, self._live_gate
        if live and gate.draining:
            gate.open()
        if self._live_listener is None and (live or not self._shared):
            self._live_listener = await self._listen(self._live_socket, gate)
        elif not live and not gate.draining:
            if self._shared:
                self._leave_live_socket()
            gate.close()

    def _leave_live_socket(self) -> None:
        if self._live_listener is not None:
            self._live_listener.close()
            self._live_listener = None

    async def main_loop(self) -> None:
        """Sleep until a signal, waking once a second for the Date header and the traffic file."""
        following = asyncio.create_task(self._traffic.follow(self._wake.set))
        while not self.should_exit:
            await self.on_tick(0)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._wake.wait(), TICK_SECONDS)
            self._wake.clear()
            if following.done():
                following.result()  # a defect ends the process rather than freezing its word
            if self._traffic.changed():
                self._traffic.read()
            await self._follow_traffic()
        following.cancel()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Stop listening, let clients leave with their next response, then close what idles."""
        gates = (self._live_gate, self._own_gate)
        deadline = time.monotonic() + GRACE_SECONDS
        if not self._shared:
            self._live_gate.close()
            await asyncio.sleep(LINGER_SECONDS)
        self._leave_live_socket()
        for server in self.servers:
            server.close()
        for gate in gates:
            gate.close()
        while any(map(len, gates)) and time.monotonic() < deadline:
            await asyncio.sleep(0.02)
        await super().shutdown()
