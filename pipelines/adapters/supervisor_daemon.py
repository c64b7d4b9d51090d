"""The supervisor of one environment: a circus arbiter that owns sockets and runs orders.

    python -m pipelines.adapters.supervisor_daemon --state DIR ENV

Circus' own client cannot add a watcher that inherits sockets, and its TCP endpoint takes commands
from anyone; so it listens on ipc:// in a 0700 folder and answers two commands more: `run` (keep an
order running) and `report`. Orders lie in files: a new supervisor starts from them at once.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import fcntl
import logging
import logging.handlers
import os
import shlex
import signal
import sys
import time
from pathlib import Path
from typing import Any

from circus.arbiter import Arbiter
from circus.exc import ConflictError
from circus.sockets import CircusSocket
from tornado.ioloop import IOLoop, PeriodicCallback

from pipelines.adapters.process import end_marked, start_ticks
from pipelines.adapters.supervisor_start import bind, rotate
from pipelines.model.errors import SlipwayError
from pipelines.model.slots import Slot
from pipelines.targets.local.layout import LOOPBACK, Installation, Layout
from pipelines.targets.local.ports import BOUND, FREE, ProcessOrder

CHECK_SECONDS = 1.0
FILES_SECONDS = 15.0
GRACE_SECONDS = 5.0
# A process that is started more often than this is left alone until somebody asks again.
MOST_STARTS, STARTS_WITHIN_SECONDS = 6, 30.0
PAUSE_SECONDS = 3.0
CHILD = str(Path(__file__).with_name("supervised_child.py"))

logger = logging.getLogger("slipway.supervisor")


class Daemon:
    """Orders in, processes kept. Everything happens in one event loop."""

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self.orders: dict[str, ProcessOrder] = {}
        self.starts: dict[str, collections.deque[float]] = {}
        self.gave_up: set[str] = set()
        self.arbiter = Arbiter(
            [],
            layout.endpoint,
            layout.events_endpoint,
            check_delay=CHECK_SECONDS,
            proc_name=f"slipway supervisor {layout.environment}",
        )
        self.loop: IOLoop = self.arbiter.loop
        self.arbiter.ctrl.commands.update(run=Run(self), report=Report(self))

    # --- sockets ---------------------------------------------------------------------------------
    def own_sockets(self) -> None:
        """The environment's doors, held open whether or not somebody stands behind them."""
        ports = [self.layout.live_port, *(self.layout.slot_port(slot) for slot in Slot)]
        for port in ports:
            self.descriptor(f"tcp:{LOOPBACK}:{port}")

    def descriptor(self, address: str) -> int:
        """File descriptor of the listening socket at this address, bound at its first use."""
        found: CircusSocket | None = self.arbiter.sockets.get(address)
        if found is None:
            found = bind(address)
            self.arbiter.sockets[address] = found
        return int(found.fileno())

    # --- orders ----------------------------------------------------------------------------------
    def run(self, order: ProcessOrder) -> Any:
        """A future while it starts, None when this very order runs already."""
        watcher = self.watcher(order.name)
        same = self.orders.get(order.name) == order
        if watcher is not None and same and watcher.is_active() and watcher.processes:
            return None
        if watcher is not None:
            self.drop(order.name)
        self.starts.pop(order.name, None)
        self.gave_up.discard(order.name)
        descriptors = {name: self.descriptor(where) for name, where in order.sockets.items()}
        env = dict(order.env) | {name: str(number) for name, number in descriptors.items()}
        env[BOUND if order.bound else FREE] = self.layout.marker
        parent = os.getpid() if order.bound else 0
        path = str(self.layout.orders / order.filename)
        keep = ",".join(str(number) for number in descriptors.values())
        wrapper = ["-I", "-S", CHILD, str(parent), path, order.pidfile, order.log, order.cwd, keep]
        self.orders[order.name] = order
        watcher = self.arbiter.add_watcher(
            order.name,
            shlex.quote(sys.executable),
            args=[*wrapper, "--", *order.argv],
            env=env,
            use_sockets=True,
            graceful_timeout=GRACE_SECONDS,
            max_retry=2,
            working_dir="/",
            hooks={"before_spawn": (self.may_start, False)},
        )
        return watcher.start()

    def watcher(self, name: str) -> Any:
        try:
            return self.arbiter.get_watcher(name)
        except KeyError:
            return None

    def drop(self, name: str) -> None:
        """Forget a watcher; what still runs under it is killed (its order was replaced)."""
        watcher = self.watcher(name)
        for process in list(watcher.processes.values()):
            with contextlib.suppress(OSError):
                os.kill(process.pid, signal.SIGKILL)
        self.arbiter.rm_watcher(name, nostop=True)
        self.orders.pop(name, None)

    def may_start(self, watcher: Any, **_: Any) -> bool:
        """Circus asks before every start. No: it stops trying."""
        name = watcher.name
        order = self.orders.get(name)
        if order is None or not (self.layout.orders / order.filename).exists():
            return False
        starts = self.starts.setdefault(name, collections.deque(maxlen=MOST_STARTS))
        now = time.monotonic()
        if len(starts) == MOST_STARTS and now - starts[0] < STARTS_WITHIN_SECONDS:
            logger.error("%s started %d times in a row: enough for now", name, MOST_STARTS)
            self.gave_up.add(name)
            if not order.bound:
                # Nobody watches the controller but us: it gets a pause, never the sack.
                self.loop.call_later(PAUSE_SECONDS, self.run, order)
            return False
        starts.append(now)
        return True

    def report(self) -> dict[str, Any]:
        return {
            name: {
                "generation": order.generation,
                "pid": next(iter(self.pids(name)), None),
                "gave_up": name in self.gave_up,
            }
            for name, order in self.orders.items()
            if (self.layout.orders / order.filename).exists()
        }

    def pids(self, name: str) -> list[int]:
        watcher = self.watcher(name)
        return [] if watcher is None else list(watcher.get_active_pids())

    # --- life ------------------------------------------------------------------------------------
    async def begin(self) -> None:
        """Circus listens; now the sockets and whatever was ordered before."""
        self.own_sockets()
        signal.signal(signal.SIGCHLD, self.child_ended)
        PeriodicCallback(self.look_after_files, FILES_SECONDS * 1000).start()
        for path in sorted(self.layout.orders.glob("*.json"), key=lambda p: p.stat().st_mtime):
            future = self.run(ProcessOrder.from_json(path.read_text()))
            if future is not None:
                await future

    def child_ended(self, *_: Any) -> None:
        """Restart the first death at once; repeated ones wait for circus' own check."""
        self.loop.add_callback_from_signal(self.reap)

    async def reap(self) -> None:
        recent = time.monotonic() - CHECK_SECONDS
        if any(starts and starts[-1] > recent for starts in self.starts.values()):
            return
        with contextlib.suppress(ConflictError):
            await self.arbiter.manage_watchers()

    def look_after_files(self) -> None:
        """Keep logs small; and end with the installation when somebody removed its folder."""
        if not self.layout.root.exists():
            os.kill(os.getpid(), signal.SIGTERM)
        for order in self.orders.values():
            rotate(Path(order.log))
        for path in self.layout.logs.glob("*.log"):
            rotate(path)


class Run:
    """Circus command `run`: {"order": <file name in the orders folder>}."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon

    def validate(self, properties: dict[str, Any]) -> None:
        properties["waiting"] = True

    def execute(self, arbiter: Any, properties: dict[str, Any]) -> Any:
        path = self.daemon.layout.orders / Path(str(properties["order"])).name
        return self.daemon.run(ProcessOrder.from_json(path.read_text()))


class Report:
    """Circus command `report`: every order and its process."""

    def __init__(self, daemon: Daemon) -> None:
        self.daemon = daemon

    def validate(self, properties: dict[str, Any]) -> None:
        return None

    def execute(self, arbiter: Any, properties: dict[str, Any]) -> dict[str, Any]:
        return {"watchers": self.daemon.report(), "pid": os.getpid()}


def main() -> int:
    parser = argparse.ArgumentParser(prog="slipway-supervisor")
    parser.add_argument("--state", type=Path, required=True)
    parser.add_argument("environment")
    arguments = parser.parse_args()
    try:
        layout = Installation.load(arguments.state).layout(arguments.environment)
        layout.make_folders()
        lock = os.open(layout.supervisor_lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return 0  # another one runs or is starting
        return daemonise(layout)
    except SlipwayError as error:
        print(error, file=sys.stderr)
        return error.exit_code


def daemonise(layout: Layout) -> int:
    """Twice forked: nobody's child. The caller returns when the sockets are bound and circus
    listens; what went wrong before that goes to its stderr."""
    reading, writing = os.pipe()
    if os.fork():
        os.close(writing)
        with os.fdopen(reading) as stream:
            words = stream.read()
        if words != "ready":
            print(words or "the supervisor ended while it started", file=sys.stderr)
        return 0 if words == "ready" else 5
    os.close(reading)
    os.setsid()
    if os.fork():
        os._exit(0)
    try:
        serve(layout, writing)
    except BaseException as error:
        with contextlib.suppress(OSError):
            os.write(writing, str(error).encode())
        logger.exception("supervisor ended")
    os._exit(0)


def serve(layout: Layout, ready: int) -> None:
    """Returns after SIGTERM, when everything it ran has ended."""
    quiet(layout)
    end_marked(f"{BOUND}={layout.marker}")
    layout.supervisor_pidfile.write_text(f"{os.getpid()} {start_ticks(os.getpid())}\n")
    daemon = Daemon(layout)

    async def begin() -> None:
        try:
            await daemon.begin()
            os.write(ready, b"ready")
            os.close(ready)
        except BaseException as error:
            logger.exception("cannot start")
            os.write(ready, str(error).encode())
            os._exit(5)

    daemon.arbiter.start(lambda _: daemon.loop.add_callback(begin)).result()


def quiet(layout: Layout) -> None:
    os.chdir("/")
    os.umask(0o077)
    handler = logging.handlers.RotatingFileHandler(
        layout.logs / "supervisor.out", maxBytes=1_000_000, backupCount=1
    )
    handler.setFormatter(logging.Formatter("%(asctime)s %(name)s %(levelname)s %(message)s"))
    logging.getLogger().handlers[:] = [handler]
    logging.getLogger().setLevel(logging.INFO)
    nowhere = os.open(os.devnull, os.O_RDWR)
    for number in (0, 1, 2):
        os.dup2(nowhere, number)


if __name__ == "__main__":
    sys.exit(main())
