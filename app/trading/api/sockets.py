"""Listening sockets handed down by whoever started this process, or bound by hand."""

from __future__ import annotations

import socket

from trading.errors import SocketUnavailable

BACKLOG = 2048


def inherited(descriptor: int | None, variable: str) -> socket.socket | None:
    """The listening socket with this descriptor number, which `variable` named.

    Raises `SocketUnavailable` when the number is no descriptor of a listening socket.
    """
    if descriptor is None:
        return None
    try:
        listener = socket.socket(fileno=descriptor)
        listening = listener.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN)
    except OSError as problem:
        raise _unavailable(variable, descriptor, problem.strerror or str(problem)) from problem
    if not listening:
        raise _unavailable(variable, descriptor, "it is a socket that does not listen")
    # Children of this process (backtests) must not hold the environment's sockets open.
    listener.set_inheritable(False)
    listener.setblocking(False)
    return listener


def loopback(port: int) -> socket.socket:
    """Bind 127.0.0.1 for a process run by hand; port 0 asks the system for a free one."""
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind(("127.0.0.1", port))
        listener.listen(BACKLOG)
    except (OSError, OverflowError) as problem:
        listener.close()
        raise SocketUnavailable(
            f"port {port} on 127.0.0.1 cannot be used: {problem}; name another with --port",
            port=port,
        ) from problem
    listener.setblocking(False)
    return listener


def _unavailable(variable: str, descriptor: int, problem: str) -> SocketUnavailable:
    return SocketUnavailable(
        f"{variable} is {descriptor}, which is no listening socket: {problem}; start this process "
        "through its supervisor, or by hand without the variable",
        variable=variable,
        value=descriptor,
    )
