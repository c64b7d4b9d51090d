"""An address that a process listens on by itself, where nobody hands it a socket."""

from __future__ import annotations

import ipaddress
import socket
from dataclasses import dataclass

from trading.errors import InvalidSettings, SocketUnavailable

BACKLOG = 2048


@dataclass(frozen=True, slots=True)
class Address:
    """A numeric address (`0.0.0.0`, `::`) and a TCP port; port 0 asks the system for a free one."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


def parse_address(text: str, variable: str = "SLIPWAY_LISTEN") -> Address:
    """`HOST:PORT`, with brackets around an IPv6 host. Raises `InvalidSettings`."""
    host, _, port = text.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    try:
        version = ipaddress.ip_address(bare).version
        if (version == 6) is not (bare != host) or not port.isascii() or not port.isdecimal():
            raise ValueError(text)
        number = int(port)
    except ValueError as error:
        raise InvalidSettings(
            f"{variable} is {text!r}; it is an address and a port, such as 0.0.0.0:8080 or "
            "[::]:8080",
            value=text,
        ) from error
    if number > 65535:
        raise InvalidSettings(f"{variable} is {text!r}; a port is at most 65535", value=text)
    return Address(bare, number)


def listening(address: Address) -> socket.socket:
    """A socket that listens there. Raises `SocketUnavailable`."""
    family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
    # The protocol by its number: asyncio sets TCP_NODELAY only where it knows that this is TCP.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((address.host, address.port))
        listener.listen(BACKLOG)
    except OSError as problem:
        listener.close()
        raise SocketUnavailable(
            f"{address} cannot be listened on: {problem.strerror or problem}", address=str(address)
        ) from problem
    listener.setblocking(False)
    return listener
