"""The venue as a process: one socket, one book, until SIGTERM."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys

from trading.api.sockets import own_socket
from trading.lean_http import Server
from trading.settings import Settings
from trading.venues.paper.book import Book
from trading.venues.paper.faults import Faults
from trading.venues.paper.routes import Venue


def main(port: int | None = None) -> int:
    settings = Settings.from_environment()
    values = settings.values()
    listening = own_socket(settings, port, "venue")
    costs = values.costs.schedule()
    book = Book(settings.need_data_dir())
    venue = Venue(book, settings.token(), costs, Faults(values.venue))
    try:
        asyncio.run(_serve(venue, listening))
    finally:
        book.close()
    return 0


async def _serve(venue: Venue, listening: socket.socket) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    # The word live or idle does not concern a venue; the signal must not end it either.
    loop.add_signal_handler(signal.SIGUSR1, lambda: None)
    server = Server(venue.handle)
    await server.start(listening)
    await stop.wait()
    await server.close()
    print("venue: stopped", file=sys.stderr)
