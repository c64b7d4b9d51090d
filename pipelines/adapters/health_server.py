"""`/health/live` and `/health/ready` of a process in a pod, for its probes."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from pipelines.model.errors import BadInput, Unavailable

Check = Callable[[], str]
"""Why not; empty when it is well."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    checks: Mapping[str, Check]


class _SixServer(_Server):
    address_family = socket.AF_INET6


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 5.0

    def do_GET(self) -> None:
        check = self.server.checks.get(self.path)
        trouble = check() if check else "no such page"
        body = (trouble or "ok").encode()
        self.send_response(404 if check is None else 503 if trouble else 200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Probes are no event."""


def serve(listen: str, live: Check, ready: Check) -> int:
    """In a thread until the process ends; the port. `listen`: HOST:PORT, numeric; port 0: a free one.
    Raises BadInput, Unavailable when it is taken."""
    host, colon, port = listen.rpartition(":")
    if not colon or not port.isdigit() or int(port) > 65_535:
        raise BadInput(
            f"--listen: {listen!r} is no address", hint="write 0.0.0.0:8080 or [::]:8080"
        )
    kind = _SixServer if host.startswith("[") else _Server
    try:
        server = kind((host.strip("[]"), int(port)), _Handler)
    except OSError as error:
        raise Unavailable(f"--listen: {listen}: {error.strerror or error}") from None
    server.checks = {"/health/live": live, "/health/ready": ready}
    threading.Thread(target=server.serve_forever, name="health", daemon=True).start()
    return int(server.server_address[1])
