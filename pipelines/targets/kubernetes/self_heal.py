"""Putting back what somebody changed by hand, as soon as a watch tells of it.

A heal is a partial sync of the objects that differ: hooks do not run, nothing is pruned, and each is
recorded. An object that is changed again and again (two controllers fight for it) is put back ever
more slowly.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from pipelines.model.errors import SlipwayError
from pipelines.model.resource import ResourceKey
from pipelines.model.sync import Action, FieldChange, PlanStep, ResultCode, SyncPlan
from pipelines.targets.kubernetes.heal_pace import Pace
from pipelines.targets.kubernetes.live_cache import WatchedCache
from pipelines.targets.kubernetes.sync_operation import Attempt

TOGETHER_SECONDS = 0.01
"""Changes that come this close together are healed by one partial sync."""
LOOK_SECONDS = 0.5
HEALED = (Action.CREATE, Action.CHANGE, Action.REPLACE)


@dataclass(frozen=True, slots=True)
class Heal:
    """One object put back, or not (`ok`, `message`). `seconds` is from the event to the answer."""

    key: ResourceKey
    action: Action
    changes: tuple[FieldChange, ...]
    at: str
    seconds: float
    ok: bool
    message: str


class Healer:
    """A thread of its own until `close`. `plan` plans a partial sync of the objects given; `apply`
    carries a plan out, and asks why it shall end meanwhile; `healed` is called once per object that
    was out of sync. Whatever they raise is told as a heal that failed, and tried again after a pause."""

    def __init__(
        self,
        cache: WatchedCache,
        keys: Iterable[ResourceKey],
        plan: Callable[[Collection[ResourceKey]], SyncPlan],
        apply: Callable[[SyncPlan, Callable[[], str]], Attempt],
        healed: Callable[[Heal], None],
    ) -> None:
        self._wanted = frozenset(keys)
        self._plan, self._apply, self._healed = plan, apply, healed
        self._pending: dict[ResourceKey, float] = dict.fromkeys(self._wanted, time.monotonic())
        self._wake = threading.Event()
        self._wake.set()
        self._lock = threading.Lock()
        self._closed = False
        self._pace = Pace()
        self._thread = threading.Thread(target=self._run, name="self-heal", daemon=True)
        cache.on_change(self._changed)
        self._cache = cache
        self._thread.start()

    def close(self) -> None:
        """Returns when no heal is running any more: one that runs sends nothing after the requests
        that are under way, each of which is bounded in time."""
        self._closed = True
        self._cache.store.forget(self._changed)
        self._wake.set()
        self._thread.join()

    def _ending(self) -> str:
        return "healing was ended" if self._closed else ""

    def ended(self) -> bool:
        """True where nothing is healed any more though nobody closed it: a heal could not even be
        told."""
        return not self._closed and not self._thread.is_alive()

    def _changed(self, key: ResourceKey) -> None:
        if key in self._wanted:
            with self._lock:
                self._pending.setdefault(key, time.monotonic())
            self._wake.set()

    def _run(self) -> None:
        while not self._closed:
            self._wake.wait(LOOK_SECONDS)
            self._wake.clear()
            time.sleep(TOGETHER_SECONDS)
            due = self._due()
            if due and not self._closed:
                self._heal(due)

    def _due(self) -> dict[ResourceKey, float]:
        now = time.monotonic()
        with self._lock:
            due = {key: at for key, at in self._pending.items() if self._pace.may(key, now)}
            for key in due:
                del self._pending[key]
        return due

    def _heal(self, due: dict[ResourceKey, float]) -> None:
        try:
            drifted = [step for step in self._plan(due.keys()).steps if step.action in HEALED]
            if drifted:
                self._put_back(drifted, due)
        except SlipwayError as error:
            self._not_healed(due, str(error))
        except Exception as error:
            # A thread that ends here would leave what it keeps alone, and nobody would know.
            self._not_healed(due, f"defect: {type(error).__name__}: {error}")

    def _not_healed(self, due: Collection[ResourceKey], words: str) -> None:
        for key in due:
            self._later(key)
        self._healed(_not_looked_at(next(iter(due)), words))

    def _put_back(self, drifted: list[PlanStep], due: dict[ResourceKey, float]) -> None:
        attempt = self._apply(self._plan({step.key for step in drifted}), self._ending)
        results = {result.key: result for result in attempt.results}
        for step in drifted:
            result = results.get(step.key)
            ok = result is not None and result.code is ResultCode.SYNCED
            self._pace.healed(step.key, time.monotonic())
            if not ok:
                self._later(step.key)
            self._healed(
                Heal(
                    key=step.key,
                    action=step.action,
                    changes=step.changes,
                    at=now(),
                    seconds=time.monotonic() - due.get(step.key, time.monotonic()),
                    ok=ok,
                    message=result.message if result else attempt.message,
                )
            )

    def _later(self, key: ResourceKey) -> None:
        now = time.monotonic()
        self._pace.failed(key, now)
        with self._lock:
            self._pending.setdefault(key, now)


def _not_looked_at(key: ResourceKey, message: str) -> Heal:
    return Heal(key, Action.NOTHING, (), now(), 0.0, False, message)


def now() -> str:
    """UTC, as records of a sync and of a heal have it."""
    return datetime.now(UTC).isoformat(timespec="milliseconds")
