"""What a machine commit contains beside `release.yaml`: each slot's processes and values."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import yaml

from pipelines.model.branch import BranchState
from pipelines.model.release import Release
from pipelines.model.slots import Slot


def render_files(state: BranchState, get: Callable[[str], Release]) -> dict[str, str]:
    """Path → text for `slots/<slot>/processes.yaml` of every filled slot."""
    files: dict[str, str] = {}
    for slot in Slot:
        content = state.slots.get(slot)
        if content is not None:
            files[f"slots/{slot}/processes.yaml"] = processes_yaml(
                get(content.release), state.environment
            )
    return files


def processes_yaml(release: Release, environment: str) -> str:
    """Everything about a slot that a person would want to see in a difference."""
    document: dict[str, Any] = {
        "release": release.id,
        "version": release.version,
        "source_commit": release.source_commit,
        "artifact": release.artifact,
        "application": release.application.name,
        "parts": dict(sorted(release.parts.items())),
        "processes": {
            spec.name: {"args": list(spec.args), "sockets": list(spec.sockets)}
            for spec in release.application.processes
        },
        "migrations": list(release.migrations),
        "values": release.values.get(environment, {}),
    }
    return yaml.safe_dump(document, sort_keys=False, width=100)
