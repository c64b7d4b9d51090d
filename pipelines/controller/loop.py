"""`slipway controller ENV`: looks at git, row and live, and does what follows, for ever.

One acts per environment: whoever holds the lock. A second controller waits for it. A rollback takes
the lock away in the middle; the controller then waits until it is free and looks again.
"""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable

from pipelines.controller.jobs import Worker
from pipelines.flows.context import Context
from pipelines.flows.locks import token_floor
from pipelines.flows.sync import look
from pipelines.flows.versions import CONTROLLER, land_active
from pipelines.model.errors import InProgress, SlipwayError, StaleToken
from pipelines.model.release import ENVIRONMENTS

LEASE_SECONDS = 20.0
LOOK_SECONDS = 0.5
"""Of git and row: what a push asks for begins within a second."""
WORKER_END_SECONDS = 4.0  # the target kills a controller five seconds after it asked it to go
# Health of every process is asked less often than git and row: it costs requests, and the
# supervisor restarts a dead process by itself.
THOROUGH_EVERY = 10


class Controller:
    """One environment's actor. `run` returns after SIGTERM or when its supervisor was replaced.
    `worker` (of one environment's controller) has jobs done meanwhile."""

    worker: Worker | None = None

    def __init__(self, context: Context, log: Callable[[str], None], *, supervised: bool) -> None:
        self.context, self.log = context, log
        self.parent = os.getppid() if supervised else None
        self.woken, self.stopping = threading.Event(), threading.Event()
        self.token: int | None = None
        self.rounds = 0
        self.last_word = ""
        self.neighbours: dict[str, Context] = {}

    def run(self) -> None:
        signal.signal(signal.SIGUSR1, lambda *_: self.woken.set())
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stop())
        renewer = threading.Thread(target=self._renew_for_ever, daemon=True, name="lease")
        renewer.start()
        if self.worker is not None:
            self.worker.begin(self.stopping)
        try:
            while not self.stopping.is_set() and not self._orphaned():
                self._round()
                self.woken.wait(LOOK_SECONDS)
                self.woken.clear()
        finally:
            self.stopping.set()
            if self.worker is not None:
                self.worker.end(WORKER_END_SECONDS)
            if self.token is not None:
                self.context.records.lock.release(self.token)

    def acting(self) -> bool:
        return self.token is not None

    def _stop(self) -> None:
        self.stopping.set()
        self.woken.set()

    def _orphaned(self) -> bool:
        """The supervisor died. One more thorough look has started a new one, which starts a
        controller of its own: this one leaves the lock to it."""
        if self.parent is None or os.getppid() == self.parent:
            return False
        self.rounds = 0
        self._round()
        self.log("the supervisor was replaced; leaving to its controller")
        return True

    def _round(self) -> None:
        if self.token is None and not self._acquire():
            return
        thorough = self.rounds % THOROUGH_EVERY == 0 or self.woken.is_set()
        self.rounds += 1
        assert self.token is not None
        try:
            self._say(look(self.context, self.token, thorough=thorough))
            if thorough:
                land_active(self.context, actor=CONTROLLER, reason="")
                self._help_neighbours()
        except StaleToken as error:
            self.log(f"overtaken: {error.message}")
            # Ours still where it was a hook in the cluster that overtook it: then the next is larger.
            self.context.records.lock.release(self.token)
            self.token = None
        except SlipwayError as error:
            self._say(f"{type(error).__name__}: {error}")
        except Exception as error:
            # The controller must outlive a defect in one look: it logs and looks again.
            self._say(f"defect: {type(error).__name__}: {error}")

    def _help_neighbours(self) -> None:
        """Supervisor and controller restart each other; when both died, a neighbour's controller
        starts the supervisor, which starts the controller."""
        for name in ENVIRONMENTS:
            neighbour = self._neighbour(name)
            if neighbour is None:
                continue
            newest = neighbour.store.newest()
            if newest is not None and neighbour.target.abandoned():
                self.log(f"{neighbour.environment} is abandoned; starting it")
                neighbour.target.ensure(newest)

    def _neighbour(self, name: str) -> Context | None:
        """None for oneself, and for one that cannot be opened: on a cluster that this machine was
        not told of, say. That is its own controller's trouble."""
        if name == self.context.environment:
            return None
        if name not in self.neighbours:
            try:
                self.neighbours[name] = self.context.sibling(name)
            except SlipwayError as error:
                self._say(f"{name} cannot be looked after from here: {error.message}")
                return None
        return self.neighbours[name]

    def _say(self, words: str) -> None:
        if words != self.last_word:
            self.log(words)
            self.last_word = words

    def _acquire(self) -> bool:
        try:
            self.token = self.context.records.lock.acquire(
                f"controller {self.context.environment}",
                "controller",
                lease_seconds=LEASE_SECONDS,
                at_least=token_floor(self.context),
            )
        except InProgress:
            return False
        self.rounds = 0
        self.log(f"acting with token {self.token}")
        return True

    def _renew_for_ever(self) -> None:
        while not self.stopping.wait(LEASE_SECONDS / 4):
            token = self.token
            if token is None:
                continue
            try:
                self.context.records.lock.renew(token, lease_seconds=LEASE_SECONDS)
            except SlipwayError:
                continue
