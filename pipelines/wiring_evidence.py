"""Repeating a gate as its statement says it was asked. Apart from `wiring`: it loads every stage."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pipelines.model.check import StageResult
from pipelines.model.errors import Refused
from pipelines.model.evidence import Proven
from pipelines.targets.local.layout import Installation


def prove_bundle(folder: Path, keys: Path, source: str) -> Proven:
    """Evidence that was exported, by committed keys. `source` is what it must be about."""
    from pipelines.adapters.evidence_bundle import BundleShelf, CommittedKeys
    from pipelines.records.evidence import Ledger

    return Ledger(CommittedKeys(keys), BundleShelf(folder), lambda: "").proven(source)


def export_bundle(state: Path, source: str, folder: Path) -> int:
    from pipelines.adapters.evidence_bundle import export

    return export(state, source, folder)


def public_keys(state: Path) -> str:
    from pipelines.adapters.signing import FileKeys

    return FileKeys(Installation.load(state).state).public()


def rerun(state: Path, said: Mapping[str, Any]) -> StageResult:
    """The stage of a CHECK predicate, on the same commit against the same base, with no earlier
    answer. Rules and thresholds are those of the target branch today: where they differ, so do the
    `inputs`. Raises Refused when the statement does not say what it was about."""
    from pipelines.adapters.change import Wanted
    from pipelines.wiring_check import open_check

    missing = [key for key in ("stage", "commit", "branch", "target") if not said.get(key)]
    if missing:
        raise Refused(f"the statement does not say its {', '.join(missing)}: it cannot be repeated")
    wanted = Wanted(
        commit=str(said["commit"]),
        branch=str(said["branch"]),
        base=str(said.get("base", "")),
        target=str(said["target"]),
    )
    report = open_check(state, wanted, stages=[str(said["stage"])], fresh=True).run()
    return report.stages[0]
