"""A WebSocket client that resumes where it stopped, and notices what it missed or saw twice."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import struct
from dataclasses import dataclass, field

TEXT, CLOSE, PING, PONG = 0x1, 0x8, 0x9, 0xA
RESTART = 1012
RECONNECT_SECONDS = 0.05


@dataclass(slots=True)
class Watched:
    """What the client saw. `numbers` are the event numbers in order of arrival."""

    connected: int = 0
    resumed: int = 0
    repeated: int = 0
    lost_connections: int = 0
    refused: int = 0
    numbers: list[int] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def failed(self) -> int:
        return self.repeated + self.lost_connections + self.refused

    def note(self, problem: str) -> None:
        if len(self.problems) < 20:
            self.problems.append(problem)


def client_frame(opcode: int, payload: bytes) -> bytes:
    """A final, masked frame with a payload of at most 125 bytes."""
    mask = os.urandom(4)
    masked = bytes(byte ^ mask[index % 4] for index, byte in enumerate(payload))
    return bytes((0x80 | opcode, 0x80 | len(payload))) + mask + masked


async def read_frame(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """One unfragmented frame from the server: opcode and payload."""
    first, second = await reader.readexactly(2)
    length = second & 0x7F
    if length == 126:
        (length,) = struct.unpack("!H", await reader.readexactly(2))
    elif length == 127:
        (length,) = struct.unpack("!Q", await reader.readexactly(8))
    return first & 0x0F, await reader.readexactly(length)


class Watcher:
    """Follows a stream of numbered events across as many connections as it takes."""

    def __init__(self, host: str, port: int, path: str, token: str, since: int = 0) -> None:
        self._host, self._port, self._path, self._token = host, port, path, token
        self._last = since
        self.seen = Watched()

    async def run(self) -> None:
        """Watch until cancelled."""
        while True:
            try:
                await self._one_connection()
            except (OSError, asyncio.IncompleteReadError) as problem:
                self.seen.lost_connections += 1
                self.seen.note(f"{type(problem).__name__}: {problem}")
            await asyncio.sleep(RECONNECT_SECONDS)

    async def _one_connection(self) -> None:
        reader, writer = await asyncio.open_connection(self._host, self._port)
        try:
            if await self._handshake(reader, writer):
                self.seen.connected += 1
                await self._follow(reader, writer)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    async def _handshake(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        key = base64.b64encode(os.urandom(16)).decode()
        writer.write(
            f"GET {self._path}?since={self._last} HTTP/1.1\r\nHost: {self._host}:{self._port}\r\n"
            f"Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
            f"Sec-WebSocket-Key: {key}\r\nAuthorization: Bearer {self._token}\r\n\r\n".encode()
        )
        head = await reader.readuntil(b"\r\n\r\n")
        if b" 101 " in head[:15]:
            return True
        self.seen.refused += 1
        self.seen.note(head[:60].decode("latin-1"))
        return False

    async def _follow(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            opcode, payload = await read_frame(reader)
            if opcode == TEXT:
                self._take(json.loads(payload))
            elif opcode == PING:
                writer.write(client_frame(PONG, payload[:125]))
            elif opcode == CLOSE:
                writer.write(client_frame(CLOSE, payload[:2]))
                code = struct.unpack("!H", payload[:2])[0] if len(payload) >= 2 else 0
                if code == RESTART:
                    self.seen.resumed += 1
                else:
                    self.seen.lost_connections += 1
                    self.seen.note(f"closed with code {code}")
                return

    def _take(self, message: dict[str, object]) -> None:
        number = message.get("seq")
        if not isinstance(number, int):
            return
        if number <= self._last:
            self.seen.repeated += 1
            self.seen.note(f"event {number} came after {self._last}")
            return
        self._last = number
        self.seen.numbers.append(number)
