"""The supervisor seen from outside: start it, give it orders, end it.

Speaks circus' JSON over its ipc endpoint with plain ZeroMQ: circus' own client takes 0.3 s to import.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Mapping
from typing import Any

from pipelines.adapters.process import LocalProcesses, end_marked
from pipelines.model.errors import Unavailable
from pipelines.targets.local.layout import Layout, write_atomically
from pipelines.targets.local.ports import BOUND, FREE, ProcessOrder, WatcherReport

START_SECONDS = 15.0
ANSWER_SECONDS = 5.0
STOP_SECONDS = 8.0


class CircusSupervisor:
    """Implements ports.Supervisor."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.processes = LocalProcesses()
        self.starting: subprocess.Popen[str] | None = None

    def alive(self) -> bool:
        """It runs and is not halted by SIGSTOP."""
        pidfile = self.layout.supervisor_pidfile
        return self.processes.alive(pidfile) is not None and not self.processes.stopped(pidfile)

    def begin(self) -> None:
        pidfile = self.layout.supervisor_pidfile
        if self.processes.alive(pidfile) is not None:
            self.processes.signal(pidfile, signal.SIGCONT)
            return
        if self.starting is not None:
            return
        self.layout.make_folders()
        state = str(self.layout.installation.state)
        module = "pipelines.adapters.supervisor_daemon"
        self.starting = subprocess.Popen(
            [sys.executable, "-m", module, "--state", state, self.layout.environment],
            cwd="/",
            env={name: value for name, value in os.environ.items() if name not in (BOUND, FREE)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
        )

    def ready(self) -> None:
        try:
            self._wait_for_answer()
        except Unavailable:
            # Alive and silent for so long: nothing can be started, stopped or restarted any more.
            if not self.processes.signal(self.layout.supervisor_pidfile, signal.SIGKILL):
                raise
            self.processes.wait_gone(self.layout.supervisor_pidfile, STOP_SECONDS)
            self.begin()
            self._wait_for_answer()

    def _wait_for_answer(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while True:
            self._wait_for_start()
            try:
                self._call("report", {})
                return
            except Unavailable:
                if time.monotonic() > deadline:
                    raise
                time.sleep(0.02)
                self.begin()  # it may have died after begin() saw it alive

    def _wait_for_start(self) -> None:
        if self.starting is None:
            return
        starting, self.starting = self.starting, None
        try:
            _, words = starting.communicate(timeout=START_SECONDS)
        except subprocess.TimeoutExpired:
            starting.kill()
            starting.communicate()
            raise Unavailable(
                f"the supervisor of {self.layout.environment} did not start in "
                f"{START_SECONDS:.0f} s",
                hint=f"look at {self.layout.logs}/supervisor.out",
            ) from None
        if starting.returncode:
            raise Unavailable(words.strip() or "the supervisor could not start")

    def run(self, order: ProcessOrder) -> None:
        for path in self.layout.orders.glob(f"{order.name}.*.json"):
            if path.name != order.filename:
                path.unlink(missing_ok=True)
        write_atomically(self.layout.orders / order.filename, order.to_json(), durable=False)
        self._call("run", {"order": order.filename})

    def report(self) -> Mapping[str, WatcherReport]:
        answer = self._call("report", {})
        return {
            name: WatcherReport(
                name, str(facts["generation"]), facts["pid"], bool(facts["gave_up"])
            )
            for name, facts in answer["watchers"].items()
        }

    def stop(self) -> None:
        pidfile = self.layout.supervisor_pidfile
        self.processes.signal(pidfile, signal.SIGCONT)
        if self.processes.signal(pidfile, signal.SIGTERM) and not self.processes.wait_gone(
            pidfile, STOP_SECONDS
        ):
            self.processes.signal(pidfile, signal.SIGKILL)
            self.processes.wait_gone(pidfile, STOP_SECONDS)
        end_marked(f"{BOUND}={self.layout.marker}", f"{FREE}={self.layout.marker}")

    def _call(self, command: str, properties: dict[str, Any]) -> dict[str, Any]:
        """One command. A supervisor busy with another one (circus does one at a time) is asked
        again until the time is over."""
        deadline = time.monotonic() + ANSWER_SECONDS
        while True:
            answer = self._ask(command, properties, deadline - time.monotonic())
            if answer.get("status") == "ok":
                return answer
            reason = str(answer.get("reason", "")).partition("\n")[0]
            if "already running" not in reason or time.monotonic() > deadline:
                raise Unavailable(
                    f"the supervisor of {self.layout.environment} refused {command}: {reason}"
                )
            time.sleep(0.02)

    def _ask(self, command: str, properties: dict[str, Any], seconds: float) -> dict[str, Any]:
        import zmq  # 90 ms, and a rollback does not need it

        if not self.alive():
            raise Unavailable(
                f"the supervisor of {self.layout.environment} does not run", hint="type: slipway up"
            )
        identity = uuid.uuid4().hex
        message = {"id": identity, "command": command, "properties": properties}
        context: zmq.Context[zmq.Socket[bytes]] = zmq.Context.instance()
        with context.socket(zmq.DEALER) as socket:
            socket.setsockopt(zmq.LINGER, 0)
            socket.connect(self.layout.endpoint)
            socket.send(json.dumps(message).encode())
            deadline = time.monotonic() + seconds
            while not socket.poll(100):
                if self.alive() and time.monotonic() < deadline:
                    continue
                raise Unavailable(
                    f"the supervisor of {self.layout.environment} does not answer",
                    hint=f"look at {self.layout.logs}/supervisor.out",
                )
            answer: dict[str, Any] = json.loads(socket.recv())
            return answer
