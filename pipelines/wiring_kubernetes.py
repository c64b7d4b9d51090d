"""Puts adapters into an environment on Kubernetes. Nothing of it is imported for the local target."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.flows.ports import Origin, ReleaseStore
from pipelines.model.environment import EnvironmentSettings
from pipelines.targets.kubernetes.manifests import BranchManifests

if TYPE_CHECKING:
    from pipelines.engine.charts import ChartRenderer


def branch_manifests(
    environment: str,
    root: Path,
    origin: Origin,
    store: ReleaseStore,
    settings: Callable[[], EnvironmentSettings],
) -> BranchManifests:
    """For `Context.manifests`, and for what the target stages. `root` is the environment's folder.
    Helm is started at the first rendering and stays for the next one."""
    started: list[ChartRenderer] = []

    def renderer() -> ChartRenderer:
        if not started:
            from pipelines.adapters.kubernetes.helm import renderer as start

            started.append(start())
        return started[0]

    return BranchManifests(
        environment,
        branches=origin,
        settings=settings,
        source=store.source,
        renderer=renderer,
        copies=root / "manifests",
    )
