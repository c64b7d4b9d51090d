"""The program of `helm test`, run against real services."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from tests.support.charts import CHARTS

PROGRAM = CHARTS / "trading" / "files" / "ask.py"


class Slot(BaseHTTPRequestHandler):
    """Says that it runs r-1 in blue."""

    def do_GET(self) -> None:
        facts = {"/version": {"slot": "blue", "release": "r-1"}, "/health/ready": {"status": "ok"}}
        body = json.dumps(facts[self.path]).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: Any) -> None:
        """Nothing."""


@pytest.fixture
def service() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Slot)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def ask(services: str, release: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-I", "-c", PROGRAM.read_text()],
        env={
            "PATH": os.defpath,
            "SERVICES": services,
            "SLIPWAY_SLOT": "blue",
            "SLIPWAY_RELEASE": release,
        },
        capture_output=True,
        text=True,
        timeout=30,
    )
    return done.returncode, done.stdout + done.stderr


def test_one_service_that_leads_to_the_slot_is_enough(service: str) -> None:
    code, said = ask(f"127.0.0.1:1,{service}", "r-1")
    assert code == 0, said
    assert f"{service}: ok" in said


def test_another_release_behind_the_services_is_a_failure(service: str) -> None:
    code, said = ask(service, "r-2")
    assert code == 1
    assert "no service leads to" in said
    assert "'release': 'r-1'" in said
