"""Listening sockets handed down by whoever started this process, or bound by hand."""

from __future__ import annotations

import socket

from trading.errors import InvalidSettings, SocketUnavailable
from trading.listen import BACKLOG as BACKLOG
from trading.listen import Address, listening
from trading.settings import Settings


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


def own_socket(settings: Settings, port: int | None, name: str) -> socket.socket:
    """For the process `name`: its slot socket, the one it opens at SLIPWAY_LISTEN, or, run by
    hand, `port` of 127.0.0.1. Raises `SocketUnavailable`, `InvalidSettings`."""
    if settings.listen is not None:
        return opened(settings.listen, port, name)
    listener = inherited(settings.slot_fd, "SLIPWAY_SLOT_FD")
    return listener or by_hand(port or 0, name)


def opened(address: Address, port: int | None, name: str) -> socket.socket:
    """A socket at SLIPWAY_LISTEN. Raises `InvalidSettings` where a `--port` says otherwise."""
    if port is not None:
        raise InvalidSettings(f"SLIPWAY_LISTEN is {address} and --port is {port}; give only one")
    return _tell(listening(address), name)


def by_hand(port: int, name: str) -> socket.socket:
    """`loopback`, and says where."""
    return _tell(loopback(port), name)


def loopback(port: int) -> socket.socket:
    """Bind 127.0.0.1 for a process run by hand; port 0 asks the system for a free one."""
    try:
        return listening(Address("127.0.0.1", port))
    except (SocketUnavailable, OverflowError) as problem:
        raise SocketUnavailable(
            f"port {port} on 127.0.0.1 cannot be used: {problem}; name another with --port",
            port=port,
        ) from problem


def _tell(listener: socket.socket, name: str) -> socket.socket:
    host, port = listener.getsockname()[:2]
    print(f"{name}: http://{Address(host, port)}", flush=True)
    return listener


def _unavailable(variable: str, descriptor: int, problem: str) -> SocketUnavailable:
    return SocketUnavailable(
        f"{variable} is {descriptor}, which is no listening socket: {problem}; start this process "
        "through its supervisor, or by hand without the variable",
        variable=variable,
        value=descriptor,
    )
