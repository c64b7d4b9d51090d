"""How far a controller in a cluster is with one Application, as it is written down there.

The release host learns from it why a commit was not taken; the controller itself goes on from it
after a restart. Bounded in size, since it lies in a config map with others of its kind.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from pipelines.model.errors import BadInput

RUNNING, SUCCEEDED, FAILED, ERROR, TERMINATED = (
    *("Running", "Succeeded", "Failed", "Error", "Terminated"),
)
ENDED_BADLY = (FAILED, ERROR)
GOOD = ("Synced", "Pruned")
AUTOMATED = "automated"
"""The actor of a sync that nobody asked for but the branch."""

MOST_BYTES = 200_000
"""Of one Application. A config map holds a mebibyte (Kubernetes' limit for an object)."""
MOST_RESULTS, MOST_HEALS, MOST_WORDS = 500, 20, 1_000
MOST_WHOLE, MOST_WRONG = 10, 20
"""Of the history: so many of the newest syncs keep every result, older ones so many that went wrong."""


@dataclass(frozen=True, slots=True)
class SyncState:
    """`phase` as in Argo CD's operationState; empty: never synced. `revision` is the commit it is
    about, `refused` that it was refused when it was looked at last, so that nothing more was written;
    it is looked at again. `asked` is the last request of a person that was seen, `confirmed` the commit
    whose prunes were confirmed when its sync began. `results`, `heals` and `history` are plain
    mappings; heals and history newest last. One of `history` has the fields of its sync, and `counts`
    of its results."""

    application: str
    path: str
    revision: str = ""
    phase: str = ""
    message: str = ""
    started_at: str = ""
    finished_at: str = ""
    actor: str = ""
    manifests: str = ""
    refused: bool = False
    asked: str = ""
    confirmed: str = ""
    options: Mapping[str, Any] = field(default_factory=dict)
    results: Sequence[Mapping[str, Any]] = ()
    results_left_out: int = 0
    heals: Sequence[Mapping[str, Any]] = ()
    history: Sequence[Mapping[str, Any]] = ()

    @property
    def ended_badly(self) -> bool:
        return self.phase in ENDED_BADLY


def render(state: SyncState) -> str:
    """JSON of at most MOST_BYTES: what failed is kept longest, then what is newest."""
    whole, most = min(MOST_WHOLE, len(state.history)), MOST_RESULTS
    while True:
        text = json.dumps(_document(state, most, whole), separators=(",", ":"))
        if len(text) <= MOST_BYTES or most == 0:
            return text
        whole, most = (whole // 2, most) if whole else (0, most // 2)


def parse(text: str, origin: str) -> SyncState:
    """Raises BadInput for what `render` did not write."""
    known = {one.name for one in fields(SyncState)}
    try:
        found = json.loads(text)
        wrong = sorted(set(found) - known)
        if wrong:
            raise ValueError(f"unknown {wrong[0]}")
        state = SyncState(**found)
        _check(state)
    except (ValueError, TypeError) as error:
        raise BadInput(
            f"{origin} was not written by a controller: {error}", hint="delete the config map"
        ) from None
    return state


def _check(state: SyncState) -> None:
    for name in ("results", "heals", "history"):
        if not all(isinstance(one, dict) for one in getattr(state, name)):
            raise ValueError(f"{name} is no list of mappings")
    for number, one in enumerate(state.history):
        if not all(isinstance(found, dict) for found in one.get("results", ())):
            raise ValueError(f"results of history {number} are no list of mappings")
        if not isinstance(one.get("results_left_out", 0), int):
            raise ValueError(f"results_left_out of history {number} is no number")
    texts = ("application", "path", "revision", "phase", "message", "asked")
    for name in (*texts, "confirmed", "manifests"):
        if not isinstance(getattr(state, name), str):
            raise ValueError(f"{name} is no text")


def _document(state: SyncState, most: int, whole: int) -> dict[str, Any]:
    found = asdict(state)
    kept = _chosen(state.results, most)
    shorter = min(MOST_HEALS, most)
    left_out = state.results_left_out + len(state.results) - len(kept)
    found |= {"message": _cut(state.message), "results": kept, "results_left_out": left_out}
    found["heals"] = [_short(one) for one in state.heals[-shorter:]] if shorter else []
    past = state.history[-shorter:] if shorter else ()
    found["history"] = [
        _past(one, most, whole=len(past) - number <= whole) for number, one in enumerate(past)
    ]
    return found


def _past(sync: Mapping[str, Any], most: int, *, whole: bool) -> dict[str, Any]:
    """One that ended: its counts stay, its results where there is room."""
    results: Sequence[Mapping[str, Any]] = sync.get("results", ())
    told = results if whole else [one for one in results if one.get("result") not in GOOD]
    kept = _chosen(told, most if whole else min(most, MOST_WRONG))
    left_out = sync.get("results_left_out", 0) + len(results) - len(kept)
    return {**_short(sync), "results": kept, "results_left_out": left_out}


def _chosen(results: Sequence[Mapping[str, Any]], most: int) -> list[dict[str, Any]]:
    """In their order; those that went wrong come first where not all have room."""
    worst_first = sorted(
        range(len(results)), key=lambda number: results[number].get("result") in GOOD
    )
    return [_short(results[number]) for number in sorted(worst_first[:most])]


def _short(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {key: _cut(value) if isinstance(value, str) else value for key, value in entry.items()}


def _cut(text: str) -> str:
    return text if len(text) <= MOST_WORDS else text[: MOST_WORDS - 1] + "…"
