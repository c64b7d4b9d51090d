"""The listening socket a process was given, or its own on the loopback interface."""

from __future__ import annotations

import socket

from trading.errors import SocketUnavailable


def inherited(descriptor: int, variable: str) -> socket.socket:
    """Raises `SocketUnavailable` when the descriptor is no listening socket."""
    try:
        listening = socket.socket(fileno=descriptor)
        accepting = listening.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as error:
        raise SocketUnavailable(
            f"{variable} is {descriptor}, which is no socket: {error.strerror}", variable=variable
        ) from error
    if not accepting:
        raise SocketUnavailable(
            f"{variable} is {descriptor}, a socket that does not listen", variable=variable
        )
    return listening


def loopback(port: int) -> socket.socket:
    """`port` 0 asks the system for a free one. Raises `SocketUnavailable`."""
    listening = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind(("127.0.0.1", port))
        listening.listen(1024)
    except OSError as error:
        listening.close()
        raise SocketUnavailable(
            f"port {port} cannot be used: {error.strerror}; choose another with --port", port=port
        ) from error
    return listening
