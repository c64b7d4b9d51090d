"""What `policies/migrations` says about the new scripts, and the figures a rehearsal is held to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from pipelines.model.check import Change, Finding
from pipelines.stages.migration_history import History
from pipelines.stages.migration_scripts import CONTRACT, EXPAND, Script
from policies import rooms

RULE = "migrations"
FILE = "policies/migrations/policy.yaml"
NEXT = "--next"
_CHAIN = f"{RULE}/chain"


@dataclass(frozen=True, slots=True)
class Limits:
    """`rows` of a generated copy; no request may wait longer than `longest_stall_seconds`."""

    rows: int
    longest_stall_seconds: float


def policy_text(change: Change) -> str:
    """Of the branch the merge goes to; as packaged where that has none yet."""
    return change.rules.text(FILE) or rooms.packaged_text(RULE, "policy.yaml")


def limits(change: Change) -> Limits:
    """Raises BadInput for a policy that is wrong."""
    data = _data(policy_text(change))
    return Limits(int(data["rehearsal_rows"]), float(data["longest_stall_seconds"]))


def policy_findings(change: Change, history: History) -> list[Finding]:
    """One script after the other. Raises BadInput for a policy that is wrong."""
    data = _data(policy_text(change))
    kinds = {script.kind for script in history.new}
    # A release collects what several changes brought; that expands come first is seen to elsewhere.
    both = {EXPAND, CONTRACT} <= kinds and not change.branch.startswith("release/")
    known = [script.revision for script in history.merged]
    found: list[Finding] = []
    for script in history.new:
        said = rooms.judge(RULE, _facts(script, known, both), data)
        # The chain is judged as a whole, with what the target has got meanwhile.
        found += [
            replace(f, path=script.path, line=script.up_line) for f in said if f.rule != _CHAIN
        ]
        known.append(script.revision)
    return found


def _facts(script: Script, known: list[str], both: bool) -> dict[str, Any]:
    return {
        "revision": script.revision,
        "down_revision": script.down_revision,
        "kind": script.kind,
        "transactional": script.transactional,
        "up": [script.up] if script.transactional else script.up.split(NEXT),
        "down": [script.down],
        "both_kinds": both,
        "known": list(known),
    }


@cache
def _data(text: str) -> Mapping[str, Any]:
    return rooms.load_data(RULE, text)
