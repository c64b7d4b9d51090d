"""What syncs of an environment's objects leave in its records, and when one has to stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any

from pipelines.model.sync import ResourceResult, SyncOutcome
from pipelines.records.protocols import AuditEntry, Records

ACTION = "sync objects"
PRUNES = "prunes_confirmed"
ASK_SECONDS = 0.2
OVERTAKEN = "a newer operation has taken the environment over"


class SyncDiary:
    """Records are opened when there is something to write or to ask."""

    def __init__(self, records: Callable[[], Records]) -> None:
        self._open = records
        self._records: Records | None = None

    @property
    def records(self) -> Records:
        self._records = self._records or self._open()
        return self._records

    def stop(self) -> Callable[[], str]:
        """Asked by a running sync, from any of its threads: why it has to end. The lock's token
        grows when a rollback or a newer operation takes it; who never had one is not stopped."""
        mine = self._token()
        lock, asked, answer = threading.Lock(), time.monotonic(), ""

        def why() -> str:
            nonlocal asked, answer
            with lock:
                if mine and not answer and time.monotonic() - asked > ASK_SECONDS:
                    asked = time.monotonic()
                    answer = OVERTAKEN if self._token() > mine else ""
                return answer

        return why

    def confirmed(self) -> bool:
        """Has a person agreed, a moment ago, to what `Prune=confirm` holds back?"""
        said = self.records.journal.fact(PRUNES)
        return bool(said) and time.time() < said["until"]

    def synced(self, part: str, outcome: SyncOutcome, options: Mapping[str, Any]) -> None:
        """One entry a sync: who asked for it, its options, the digest of the manifests, and what
        became of each object."""
        operation = self.records.journal.running()
        self.records.audit.append(
            actor=operation.actor if operation else "slipway",
            action=ACTION,
            reason=operation.reason if operation else "",
            options=options,
            result=outcome.phase.lower(),
            details={
                "part": part,
                "operation": operation.id if operation else "",
                "release": operation.release if operation else "",
                "message": outcome.message,
                "manifests": outcome.manifests,
                "started_at": outcome.started_at,
                "finished_at": outcome.finished_at,
                **outcome.details,
                "results": [as_json(result) for result in outcome.results],
            },
        )

    def _token(self) -> int:
        status = self.records.lock.status()
        return status.token if status else 0


def confirm_prunes(records: Records, actor: str, until: float) -> None:
    """Syncs of these records may prune what waits for a word, until then (seconds since 1970)."""
    records.journal.set_fact(PRUNES, {"by": actor, "until": until})


def withdraw(records: Records) -> None:
    """No prune is confirmed any more."""
    records.journal.set_fact(PRUNES, None)


def as_json(result: ResourceResult) -> dict[str, Any]:
    return {
        "resource": str(result.key),
        "phase": str(result.phase),
        "wave": result.wave,
        "result": str(result.code),
        "message": result.message,
    }


def syncs(records: Records, *, after: int = 0, limit: int = 100) -> list[AuditEntry]:
    """Entries of syncs with a higher sequence than `after`, newest first."""
    found = reversed(records.audit.entries(limit))
    return [one for one in found if one.action == ACTION and one.sequence > after]
