"""One Application inside its cluster: synced when its branch moves, and kept so until the next time.

What it does is written down as it goes (`sync_states.py`), so that a restart goes on from there.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection
from dataclasses import replace
from typing import Any

from pipelines.engine.sync.application_yaml import Application
from pipelines.engine.sync.due import Due, due
from pipelines.engine.sync.moves import Limits
from pipelines.model.errors import Refused, SlipwayError, Unavailable
from pipelines.model.sync import SyncPlan
from pipelines.model.sync_state import AUTOMATED, ERROR, MOST_HEALS, RUNNING, SUCCEEDED, SyncState
from pipelines.targets.kubernetes import sync_notes
from pipelines.targets.kubernetes.branch_watch import BranchWatch, Wanted
from pipelines.targets.kubernetes.foreign import first_foreign
from pipelines.targets.kubernetes.layout import NAME_LABEL
from pipelines.targets.kubernetes.self_heal import Heal, Healer, now
from pipelines.targets.kubernetes.sync_run import Progress, Syncer, differing, digest
from pipelines.targets.kubernetes.sync_states import (
    ASKED,
    SyncStates,
    confirmed,
    how_to_confirm,
    key_in,
)

LOOK_SECONDS = 0.5
LOOK_AGAIN_SECONDS = 10.0
"""After a refusal before anything was written: a person may have taken its cause away."""
LONGEST_PAUSE_SECONDS = 10.0


class Leaving(Exception):
    """The controller ends: hooks that run go on, and the next controller takes the sync up."""


class ApplicationSync:
    """`run` in a thread of its own. `ours`: all Applications of the environment. `beat` is when it last
    came by (time.monotonic), `known` whether it has read what was before."""

    def __init__(
        self,
        application: Application,
        syncer: Syncer,
        states: SyncStates,
        branch: BranchWatch,
        leaving: threading.Event,
        log: Callable[[str], None],
        *,
        ours: Collection[str],
        operation_seconds: float,
    ) -> None:
        self.application, self.syncer, self.branch = application, syncer, branch
        self.name, self.path = application.settings.application, application.path
        self.namespace = application.settings.namespace
        self.beat, self.known = time.monotonic(), False
        self._states, self._leaving = states, leaving
        self._ours, self._operation_seconds = ours, operation_seconds
        self._tell = log
        self._state = SyncState(self.name, self.path)
        self._healer: Healer | None = None
        self._healed_of, self._last_word = "", ""
        self._refused_at, self._failures = 0.0, 0
        self._warned: set[str] = set()
        self._lock = threading.RLock()

    def broken(self) -> str:
        """What only a restart brings back; empty when all works."""
        healer = self._healer
        return "self-heal has ended" if healer is not None and healer.ended() else ""

    def run(self) -> None:
        try:
            while not self._leaving.is_set():
                self._once()
        except Leaving:
            self._say("leaving in the middle of a sync; whoever comes next takes it up")
        finally:
            self._stop_healing()
            self.syncer.close()

    def _once(self) -> None:
        try:
            commit = self._turn()
            self._failures = 0
            self.branch.wait(commit, LOOK_SECONDS)
        except SlipwayError as error:
            self._pause(error.message)
        except Leaving:
            raise
        except Exception as error:
            # One that ends for ever would leave its environment alone: it logs and looks again.
            self._pause(f"defect: {type(error).__name__}: {error}")

    def _pause(self, words: str) -> None:
        self._say(f"waiting: {words}")
        self._failures += 1
        self._leaving.wait(min(LONGEST_PAUSE_SECONDS, 0.5 * 2.0 ** min(self._failures, 6)))

    def _turn(self) -> str:
        """The commit that was looked at."""
        self.beat = time.monotonic()
        if not self.known:
            self._state = self._states.read(self.name, self.path)
            self.syncer.cache.start([("", "ConfigMap")], [self.namespace])
            self.known = True
        self._states.flush()
        wanted = self.branch.newest(self.name)
        if wanted is None:
            return ""
        if wanted.error:
            self._unreadable(wanted)
            return wanted.commit
        try:
            self._act(wanted)
        except Unavailable:
            raise
        except SlipwayError as error:
            self._refused(wanted, error)
        return wanted.commit

    def _act(self, wanted: Wanted) -> None:
        asked = self._asked()
        again = time.monotonic() - self._refused_at > LOOK_AGAIN_SECONDS
        verb = due(
            self._state, wanted.commit, self.path, asked=asked, again=again,
            confirmed=self._confirmed(wanted),
            differs=lambda: bool(differing(self._look(wanted))),
        )  # fmt: skip
        if verb is Due.SYNC:
            self._sync(wanted, asked)
        elif verb is Due.KEEP:
            self._keep(wanted)

    def _asked(self) -> str:
        live = self.syncer.cache.get(key_in(self.namespace))
        return live.annotations.get(ASKED, "") if live else ""

    def _confirmed(self, wanted: Wanted) -> bool:
        return confirmed(self.syncer.cache.get(key_in(self.namespace)), wanted.commit)

    # --- syncing -----------------------------------------------------------------------------
    def _look(self, wanted: Wanted) -> SyncPlan:
        """What a sync would do. Raises Refused where somebody else has an object."""
        self.syncer.settings = replace(
            self.application.settings,
            earlier=sync_notes.earlier(wanted.desired, [self.path]),
            revision=wanted.commit,
            started_at_unix=int(time.time()),
        )
        plan = self.syncer.plan(wanted.desired)
        for words in plan.warnings:
            self._warn(words)
        ours = {*self._ours, *sync_notes.earlier(wanted.desired, sync_notes.PATHS)}
        names = {one.labels[NAME_LABEL] for one in wanted.desired if NAME_LABEL in one.labels}
        keys = {one.key for one in wanted.desired}
        found = first_foreign(self.syncer.cache.store, keys, names, ours.__contains__)
        if found is not None:
            raise Refused(
                f"{found[0]} belongs to the Application {found[1]}, as its tracking id says",
                hint="let one of them act: delete that Application without its objects, or this"
                " controller",
            )
        return plan

    def _sync(self, wanted: Wanted, asked: str) -> None:
        self._stop_healing()
        steps = len(self._look(wanted).steps)
        resumed = self._runs(wanted)
        begun = {} if resumed else _begun()
        if asked and asked != self._state.asked:
            begun["actor"] = asked
        self._note(
            revision=wanted.commit, path=self.path, phase=RUNNING, message="", finished_at="",
            asked=asked, manifests="", refused=False, **begun,
            confirmed=wanted.commit if self._confirmed(wanted) else "",
            options=sync_notes.options(self.syncer.settings),
        )  # fmt: skip
        self._say(
            f"sync of {wanted.commit[:12]} {'goes on' if resumed else 'begins'}: {steps} steps"
        )
        seconds = self._operation_seconds + sync_notes.hook_seconds(wanted.desired)
        outcome = self.syncer.sync(
            sync_notes.marked(wanted.desired, self._state),
            stop=self._stop(wanted),
            progress=self._progress,
            limits=Limits(
                operation_seconds=seconds,
                adopt=resumed,
                confirm=how_to_confirm(self.namespace, wanted.commit),
            ),
            confirmed=lambda: self._confirmed(wanted),
        )
        results = [sync_notes.result(one) for one in outcome.results]
        told = {"message": outcome.message, "results": results, "results_left_out": 0}
        if outcome.details.get("away"):
            self._note(**told)
            raise Unavailable(f"{outcome.phase}: {outcome.message}")
        self._note(
            revision=self._same(wanted), phase=outcome.phase, finished_at=outcome.finished_at,
            manifests=digest(wanted.desired), **told,
        )  # fmt: skip
        self._remember()
        words = " ".join(outcome.message.split())
        self._say(f"sync of {wanted.commit[:12]} {outcome.phase}: {words}")
        if outcome.phase == SUCCEEDED and self._state.revision == wanted.commit:
            self._keep(wanted)

    def _runs(self, wanted: Wanted) -> bool:
        """Did a sync of this commit begin that has not ended, before a restart maybe?"""
        return self._state.phase == RUNNING and self._state.revision == wanted.commit

    def _progress(self, at: Progress) -> None:
        """What is waited for; what passes by at once is not worth a line."""
        if at.message.startswith("waiting for") and at.message != self._state.message:
            self._note(message=at.message)
            self._say(f"{at.message} ({at.done} of {at.total} done)")

    def _stop(self, wanted: Wanted) -> Callable[[], str]:
        def stop() -> str:
            self.beat = time.monotonic()
            if self._leaving.is_set():
                raise Leaving
            newest = self.branch.newest(self.name)
            if newest is None or newest.error or newest.digest == wanted.digest:
                return ""
            return f"commit {newest.commit[:12]} is newer"

        return stop

    def _same(self, wanted: Wanted) -> str:
        """The newest commit that wants the same: that one is done as well."""
        newest = self.branch.newest(self.name)
        same = newest is not None and not newest.error and newest.digest == wanted.digest
        return newest.commit if same and newest is not None else wanted.commit

    # --- keeping -----------------------------------------------------------------------------
    def _keep(self, wanted: Wanted) -> None:
        if self._state.revision != wanted.commit or self._state.path != self.path:
            at = now()
            self._note(
                revision=wanted.commit, path=self.path, phase=SUCCEEDED, refused=False,
                message="all is as this commit says", started_at=at, finished_at=at,
                actor=AUTOMATED, results=(), results_left_out=0, manifests=wanted.digest,
            )  # fmt: skip
            self._say(f"all is as {wanted.commit[:12]} says")
        if self._healer is not None and self._healed_of == wanted.digest:
            return
        self._stop_healing()
        if self.application.settings.self_heal:
            self._look(wanted)
            self._healer = self.syncer.heal(wanted.desired, self._healed)
            self._healed_of = wanted.digest

    def _healed(self, heal: Heal) -> None:
        words = sync_notes.heal_words(heal)
        if not heal.ok and words == self._last_word:
            return
        with self._lock:
            heals = [*self._state.heals, sync_notes.heal(heal)]
            self._note(heals=heals[-MOST_HEALS:])
        self._say(words)

    def _stop_healing(self) -> None:
        if self._healer is not None:
            self._healer.close()
            self._healer = None

    # --- writing down ------------------------------------------------------------------------
    def _unreadable(self, wanted: Wanted) -> None:
        """What was kept so far is kept on."""
        if (self._state.revision, self._state.phase) != (wanted.commit, ERROR):
            self._ended(wanted, wanted.error, refused=False)

    def _refused(self, wanted: Wanted, error: SlipwayError) -> None:
        self._refused_at = time.monotonic()
        known = (self._state.revision, self._state.phase, self._state.message)
        if known != (wanted.commit, ERROR, str(error)):
            self._ended(wanted, str(error), refused=True)

    def _ended(self, wanted: Wanted, words: str, *, refused: bool) -> None:
        """Of a sync that runs already it stays known who asked for it, and what it did."""
        begun = {} if self._runs(wanted) else _begun()
        self._note(
            revision=wanted.commit, path=self.path, phase=ERROR, message=words, refused=refused,
            finished_at=now(), **begun,
        )  # fmt: skip
        self._remember()
        self._say(f"{wanted.commit[:12]} is not synced: {' '.join(words.split())}")

    def _remember(self) -> None:
        most = min(self.application.history_limit, sync_notes.MOST_HISTORY)
        history = [*self._state.history, sync_notes.history(self._state)]
        self._note(history=history[-most:] if most else ())

    def _note(self, **changed: Any) -> None:
        with self._lock:
            self._state = replace(self._state, **changed)
            self._states.write(self._state)

    def _warn(self, words: str) -> None:
        """Once: what a plan warns of is often true for long."""
        if words not in self._warned:
            self._warned.add(words)
            self._tell(f"{self.name}: warning: {words}")

    def _say(self, words: str) -> None:
        if words != self._last_word:
            self._tell(f"{self.name}: {words}")
            self._last_word = words


def _begun() -> dict[str, Any]:
    """What is known of a sync that begins now, and that nobody asked for."""
    return {"started_at": now(), "actor": AUTOMATED, "results": (), "results_left_out": 0}
