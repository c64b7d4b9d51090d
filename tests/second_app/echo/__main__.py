"""All that an application must offer: sockets, traffic by file or no kept connection, commands."""

import hashlib
import json
import os
import selectors
import signal
import socket
import sys
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from threading import Thread

ENV, HERE, SELECTOR, COUNT = os.environ, Path(__file__).parent, selectors.DefaultSelector(), {}
LINES = [f"echo/{p.name} {hashlib.sha256(p.read_bytes()).hexdigest()}\n" for p in HERE.glob("*.*")]
FACTS = {k: ENV.get(f"SLIPWAY_{k.upper()}") for k in ("release", "slot", "environment")}
FACTS |= {"application": "echo", "pid": os.getpid(), "schema": [], "traffic": "idle"}
FACTS["artifact"] = hashlib.sha256("".join(sorted(LINES)).encode()).hexdigest()
ANSWERS = {
    "migrate": {"required": [], "applied": [], "pending": [], "missing": []},
    "validate": {"ok": True, "checks": [{"name": "files", "ok": True, "samples": len(LINES)}]},
}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        known = self.path in ("/", "/version", "/metrics") or "/health" in self.path
        status = 200 if known else 404
        COUNT[status] = COUNT.get(status, 0) + 1
        body = json.dumps(FACTS if self.path == "/version" else {"status": "ok", "checks": {}})
        if self.path == "/metrics":
            body = "".join(f'http_requests_total{{status="{s}"}} {n}\n' for s, n in COUNT.items())
        self.send_response_only(status)
        self.send_header("Content-Length", str(len(body)))
        if FACTS["traffic"] != "live":
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body.encode())


def obey(*_):
    wanted = Path(ENV.get("SLIPWAY_TRAFFIC_FILE", os.devnull)).read_text().strip() or None
    if "SLIPWAY_LIVE_FD" in ENV and wanted != FACTS["traffic"]:
        change = SELECTOR.unregister if wanted == "idle" else lambda fd: SELECTOR.register(fd, 1)
        change(int(ENV["SLIPWAY_LIVE_FD"]))
    FACTS["traffic"] = wanted


def answer(listening):
    try:
        connection, peer = socket.socket(fileno=os.dup(listening)).accept()
    except BlockingIOError:  # the other slot was faster
        return
    Thread(
        target=lambda: (Handler(connection, peer, None), connection.close()), daemon=True
    ).start()


def serve():
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    signal.signal(signal.SIGUSR1, obey)
    obey()
    host, _, port = ENV.get("SLIPWAY_LISTEN", "").rpartition(":")
    own = socket.create_server((host, int(port))).detach() if port else int(ENV["SLIPWAY_SLOT_FD"])
    SELECTOR.register(own, selectors.EVENT_READ)
    while True:
        for key, _ in SELECTOR.select(timeout=1):
            answer(key.fd)


serve() if sys.argv[1] == "serve" else print(json.dumps(ANSWERS[sys.argv[1]]))
