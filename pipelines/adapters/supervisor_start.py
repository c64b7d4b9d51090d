"""What a new supervisor meets: ports still held, logs grown large."""

from __future__ import annotations

import errno
import os
import shutil
import time
from pathlib import Path

import psutil
from circus.sockets import CircusSocket

from pipelines.model.errors import Unavailable

BIND_SECONDS = 5.0
LARGEST_LOG_BYTES = 4_000_000


def bind(address: str) -> CircusSocket:
    """A listening socket. A port may be held for moments by a predecessor's dying processes; held
    longer it is somebody else's: Unavailable names them."""
    kind, _, place = address.partition(":")
    if kind == "unix":
        made = CircusSocket(name=address, path=place, replace=True, umask=0o177)
        made.bind_and_listen()
        return made
    host, _, port = place.rpartition(":")
    deadline = time.monotonic() + BIND_SECONDS
    while True:
        made = CircusSocket(name=address, host=host, port=int(port))
        try:
            made.bind_and_listen()
            return made
        except OSError as error:
            made.close()
            if error.errno != errno.EADDRINUSE or time.monotonic() > deadline:
                raise Unavailable(
                    f"cannot listen on {host}:{port}: {error.strerror}{holder(int(port))}",
                    hint="stop what uses the port, or install at another --base-port",
                ) from None
        time.sleep(0.02)


def holder(port: int) -> str:
    try:
        for connection in psutil.net_connections("tcp4"):
            if connection.laddr and connection.laddr.port == port and connection.status == "LISTEN":
                name = psutil.Process(connection.pid).name() if connection.pid else "another user's"
                return f" (held by {name}, pid {connection.pid})"
    except psutil.Error:
        pass
    return ""


def rotate(path: Path) -> None:
    """Copy and truncate: the writer appends, so it goes on in the emptied file."""
    try:
        if path.stat().st_size > LARGEST_LOG_BYTES:
            shutil.copyfile(path, path.with_suffix(path.suffix + ".1"))
            os.truncate(path, 0)
    except OSError:
        pass  # a full disk must not end the supervisor; truncation is tried again
