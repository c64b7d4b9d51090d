"""What a machine commit contains beside `release.yaml`: what each slot runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import yaml

from pipelines.flows.ports import Manifests
from pipelines.model.branch import BranchState
from pipelines.model.release import Release
from pipelines.model.slots import Slot


def render_files(
    state: BranchState, releases: Mapping[str, Release], manifests: Manifests | None = None
) -> dict[str, str]:
    """Path → text: `slots/<slot>/processes.yaml` of every filled slot, or on a cluster
    `slots/<slot>/manifests.yaml` and `edge/manifests.yaml`. Errors as `Manifests.files`."""
    if manifests is not None:
        return manifests.files(state, releases)
    return {
        f"slots/{slot}/processes.yaml": processes_yaml(releases[content.release], state.environment)
        for slot in Slot
        if (content := state.slots.get(slot)) is not None
    }


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
