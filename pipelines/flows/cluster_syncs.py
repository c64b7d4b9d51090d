"""What the syncer in a cluster did, as it wrote it down there, in the words of the release host's own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from pipelines.flows.context import Context
from pipelines.model.errors import SlipwayError
from pipelines.model.sync_state import RUNNING, SyncState

_CHANGED = ("change", "replace")


def read(ctx: Context) -> tuple[Sequence[SyncState], str]:
    """Of every Application, and why that cannot be read; nothing where nobody in the cluster writes."""
    if ctx.written is None:
        return (), ""
    try:
        return ctx.written(), ""
    except SlipwayError as error:
        return (), error.message


def past(states: Sequence[SyncState], limit: int) -> list[dict[str, Any]]:
    """Syncs, newest first, shaped like those of the audit; one that runs counts too."""
    found = [_sync(state, one) for state in states for one in state.history]
    found += [_sync(state, _running(state)) for state in states if state.phase == RUNNING]
    return sorted(found, key=lambda one: str(one["at"]), reverse=True)[:limit]


def heals(states: Sequence[SyncState], since: float) -> list[dict[str, Any]]:
    """What was healed after that time (seconds since 1970), and what could not be."""
    found = [one for state in states for one in state.heals if _seconds(one.get("at")) > since]
    return [
        {"at": str(one["at"]), "drift": _drift(one), "healed": one.get("ok") is True}
        for one in found
    ]


def now(states: Sequence[SyncState]) -> list[dict[str, str]]:
    """How far each Application is."""
    return [
        {
            "application": one.application, "part": one.path, "phase": one.phase,
            "message": one.message, "commit": one.revision, "actor": one.actor,
            "started_at": one.started_at, "finished_at": one.finished_at,
        }
        for one in states
    ]  # fmt: skip


def _sync(state: SyncState, one: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "sequence": None, "at": one.get("finished_at") or one.get("started_at") or "",
        "actor": one.get("actor", ""), "reason": "", "result": str(one.get("phase", "")).lower(),
        "options": one.get("options", {}), "part": state.path, "operation": "", "release": "",
        "commit": one.get("revision", ""), "message": one.get("message", ""),
        "manifests": one.get("manifests", ""), "started_at": one.get("started_at", ""),
        "finished_at": one.get("finished_at", ""), "counts": one.get("counts", {}),
        "results": one.get("results", []), "results_left_out": one.get("results_left_out", 0),
    }  # fmt: skip


def _running(state: SyncState) -> Mapping[str, Any]:
    names = ("revision", "phase", "message", "started_at", "actor", "options")
    return {name: getattr(state, name) for name in names}


def _drift(heal: Mapping[str, Any]) -> str:
    if heal.get("ok") is not True:
        return f"{heal.get('resource')}: {' '.join(str(heal.get('message')).split())}"
    fields = ", ".join(_field(one) for one in heal.get("fields") or ())
    if heal.get("action") not in _CHANGED:
        return f"{heal.get('resource')} was missing; made again"
    return f"{heal.get('resource')} was changed{': ' + fields if fields else ''}; written again"


def _field(one: Mapping[str, Any]) -> str:
    by = [f"by {one['manager']}"] if one.get("manager") else []
    since = [f"at {one['since']}"] if one.get("since") else []
    return " ".join([str(one.get("path")), *by, *since])


def _seconds(at: object) -> float:
    try:
        return datetime.fromisoformat(str(at)).timestamp()
    except ValueError:
        return 0.0
