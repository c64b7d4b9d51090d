"""Latency through the live socket against bare uvicorn with the same handler, in turns.

The baseline is the same `create_app` of the same release with the same variables, on the same
loop and parser, under `uvicorn.run` on its own port: what is left is the price of the shared
socket and of being able to drain. Rounds alternate, so noise of the machine hits both.
"""

from __future__ import annotations

import http.client
import subprocess
import time

import psutil

from bench.context import Bench
from bench.table import Row, percentile
from tests.harness.ports import free_block

PATH = "/version"
BARE = """
import sys, uvicorn
from trading.api.app import create_app
from trading.api.gate import Gate
from trading.settings import Settings
app = create_app(Settings.from_environment(), Gate())
uvicorn.run(app, host="127.0.0.1", port=int(sys.argv[1]), loop="uvloop", http="httptools",
            access_log=False, log_config=None, server_header=False)
"""


def _start_bare(bench: Bench, port: int) -> subprocess.Popen[bytes]:
    """The application under plain uvicorn, with the variables of the active slot's API."""
    active = bench.installation.agreement("dev").row()["slot"]
    twin = next(
        p for p in bench.installation.processes("dev") if p.role == "api" and p.slot == active
    )
    process = psutil.Process(twin.pid)
    drop = ("SLIPWAY_LIVE_FD", "SLIPWAY_SLOT_FD", "SLIPWAY_TRAFFIC_FILE")
    variables = {k: v for k, v in process.environ().items() if k not in drop}
    python = process.cmdline()[0]
    started = subprocess.Popen([python, "-c", BARE, str(port)], env=variables)
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        try:
            _round(port, 1)
            return started
        except OSError:
            time.sleep(0.1)
    started.kill()
    raise RuntimeError("bare uvicorn did not start")


def _round(port: int, count: int) -> list[float]:
    """Latency of `count` requests on one kept connection, in seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    taken = []
    for _ in range(count):
        begun = time.perf_counter()
        connection.request("GET", PATH)
        answer = connection.getresponse()
        answer.read()
        taken.append(time.perf_counter() - begun)
        assert answer.status == 200
    connection.close()
    return taken


def run(bench: Bench) -> list[Row]:
    bench.prepare()
    bare_port = free_block()
    live_port = bench.installation.port("dev")
    bare = _start_bare(bench, bare_port)
    ours: list[float] = []
    theirs: list[float] = []
    try:
        for _ in range(2):
            _round(live_port, 300)
            _round(bare_port, 300)
        for number in range(bench.times(60, 8)):
            pair = [(live_port, ours), (bare_port, theirs)]
            for port, taken in pair if number % 2 else reversed(pair):
                taken += _round(port, 200)
    finally:
        bare.terminate()
        bare.wait(10)
    over = percentile(ours, 0.5) / percentile(theirs, 0.5) - 1
    words = " · ".join(
        f"p{share * 100:.0f} {percentile(ours, share) * 1e6:.0f} against "
        f"{percentile(theirs, share) * 1e6:.0f} µs"
        for share in (0.5, 0.95)
    )
    return [
        Row(
            "steady latency through the live socket over bare uvicorn",
            "≤ 5 %",
            f"{over:+.1%} at the median ({words})",
            over <= 0.05,
            {"requests_each": len(ours)},
        )
    ]
