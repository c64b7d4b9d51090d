"""Two processes of two slots on one listening socket, switched as the delivery engine does it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any

START_LIMIT_SECONDS = 20.0


class SlotPair:
    """Owns the live socket and each slot's own, as the environment's supervisor would."""

    def __init__(self, folder: Path, command: Sequence[str], environ: dict[str, str]) -> None:
        self._folder, self._command, self._environ = folder, command, environ
        self.live_socket = _listen()
        self.live_port = int(self.live_socket.getsockname()[1])
        self.own = {slot: _listen() for slot in ("blue", "green")}
        self.processes: dict[str, subprocess.Popen[bytes]] = {}

    def __enter__(self) -> SlotPair:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in self.processes.values():
            process.kill()
            process.wait()
        for listener in (self.live_socket, *self.own.values()):
            listener.close()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.live_port}"

    def port(self, slot: str) -> int:
        return int(self.own[slot].getsockname()[1])

    def start(self, slot: str, *arguments: str, live: bool = False) -> None:
        """Start a slot's process and wait until it answers on its own socket."""
        self.write(slot, "live" if live else "idle")
        live_fd, own_fd = self.live_socket.fileno(), self.own[slot].fileno()
        variables = {
            "SLIPWAY_SLOT": slot,
            "SLIPWAY_LIVE_FD": str(live_fd),
            "SLIPWAY_SLOT_FD": str(own_fd),
            "SLIPWAY_TRAFFIC_FILE": str(self.traffic_file(slot)),
        }
        self.processes[slot] = subprocess.Popen(
            [*self._command, *arguments],
            env={**os.environ, **self._environ, **variables},
            pass_fds=(live_fd, own_fd),
        )
        self.get(slot, "/version")

    def get(self, slot: str, path: str) -> tuple[int, dict[str, object]]:
        """Ask a slot on its own socket, waiting while the process starts."""
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.port(slot), timeout=START_LIMIT_SECONDS
        )
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            return answer.status, json.loads(answer.read())
        finally:
            connection.close()

    def traffic_file(self, slot: str) -> Path:
        return self._folder / f"{slot}.traffic"

    def write(self, slot: str, word: str) -> None:
        """Replace the traffic file in one step."""
        new = self.traffic_file(slot).with_suffix(".new")
        new.write_text(word)
        new.replace(self.traffic_file(slot))

    def tell(self, slot: str, word: str) -> None:
        """Write the traffic file and send the signal."""
        self.write(slot, word)
        self.processes[slot].send_signal(signal.SIGUSR1)

    def switch(self, to_slot: str) -> None:
        """The new slot accepts first, then the old one stops."""
        self.tell(to_slot, "live")
        time.sleep(0.01)
        self.tell("green" if to_slot == "blue" else "blue", "idle")


def _listen() -> socket.socket:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(2048)
    return listener


class Client:
    """Asks one question a connection; the answer is status, headers in lower case and JSON."""

    def __init__(self, port: int, token: str) -> None:
        self.port, self.token = port, token

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: dict[str, str] | None = None,
        *,
        raw: bytes | None = None,
        token: str | None = None,
    ) -> tuple[int, Any]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        bearer = self.token if token is None else token
        sent = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        content = raw if raw is not None else None if body is None else json.dumps(body).encode()
        try:
            connection.request(method, path, content, {**sent, **(headers or {})})
            answer = connection.getresponse()
            self.headers = {name.lower(): value for name, value in answer.getheaders()}
            text = answer.read()
        finally:
            connection.close()
        is_json = "json" in self.headers.get("content-type", "")
        return answer.status, json.loads(text) if is_json else text.decode()

    def get(self, path: str) -> Any:
        """The JSON of an answer that must be 200."""
        status, answer = self.ask("GET", path)
        assert status == 200, answer
        return answer

    def order(self, key: str, **content: object) -> tuple[int, Any]:
        """Place an order: one share of AAPL at the market, unless said otherwise."""
        order = {"symbol": "AAPL", "side": "buy", "quantity": "1", **content}
        return self.ask("POST", "/api/orders", order, {"Idempotency-Key": key})
