"""Puts adapters into Slipway's syncer inside a cluster: no installation, the pod's own account."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

from pipelines.engine.sync import application_yaml
from pipelines.engine.sync.application_yaml import Application
from pipelines.model.errors import BadInput
from pipelines.targets.kubernetes.application_sync import ApplicationSync
from pipelines.targets.kubernetes.branch_watch import BranchWatch
from pipelines.targets.kubernetes.live_cache import WatchedCache
from pipelines.targets.kubernetes.live_scope import LiveScope
from pipelines.targets.kubernetes.sync_run import Syncer
from pipelines.targets.kubernetes.sync_states import SyncStates

HERE = ("", "https://kubernetes.default.svc", "in-cluster")
"""Names that Argo CD has for the cluster it runs in."""


def read_applications(
    files: Sequence[Path], environment: str, repository: str
) -> list[Application]:
    """Raises BadInput for what this controller would do otherwise than Argo CD does."""
    if not files:
        raise BadInput(
            "no Application is named",
            hint=f"--application environments/{environment}/application.yaml"
            f" --application environments/{environment}/application-edge.yaml",
        )
    found = []
    for file in files:
        try:
            text = file.read_text()
        except (OSError, UnicodeDecodeError) as error:
            raise BadInput(f"{file}: {getattr(error, 'strerror', '') or 'not UTF-8'}") from None
        one = application_yaml.parse(text, str(file))
        _check(one, file, environment)
        found.append(replace(one, repository=repository or one.repository))
    _alike(found, files)
    return found


def _check(one: Application, file: Path, environment: str) -> None:
    if one.revision != f"env/{environment}":
        raise BadInput(
            f"{file}: spec.source.targetRevision: {one.revision!r} is not the branch of"
            f" {environment}",
            hint=f"write env/{environment}, or start the controller of another environment",
        )
    if one.server not in HERE:
        raise BadInput(
            f"{file}: spec.destination: {one.server!r} is another cluster",
            hint=f"a controller syncs the cluster it runs in: server: {HERE[1]}",
        )
    if not one.settings.namespace:
        raise BadInput(f"{file}: spec.destination.namespace is missing", hint="name one")
    if not one.settings.automated:
        raise BadInput(
            f"{file}: spec.syncPolicy.automated is not on",
            hint="a controller syncs by itself: add `automated: {prune: true, selfHeal: true}`",
        )


def _alike(found: Sequence[Application], files: Sequence[Path]) -> None:
    words = ", ".join(map(str, files))
    for name, values in (
        ("spec.source.repoURL", {one.repository for one in found}),
        ("spec.destination.namespace", {one.settings.namespace for one in found}),
    ):
        if len(values) > 1:
            raise BadInput(
                f"{words}: {name} differs: {', '.join(sorted(values))}",
                hint="one controller for one environment; --repository counts for all of them",
            )
    for name, every in (
        ("metadata.name", [one.settings.application for one in found]),
        ("spec.source.path", [one.path for one in found]),
    ):
        if len(set(every)) < len(every):
            raise BadInput(f"{words}: two of them have one {name}", hint="name another file")


def open_syncs(
    environment: str,
    applications: Sequence[Application],
    folder: Path,
    credentials: Path | None,
    leaving: threading.Event,
    *,
    operation_seconds: float,
    log: Callable[[str], None],
) -> tuple[BranchWatch, list[ApplicationSync]]:
    """Nothing is asked of git or cluster yet, except where the cluster is. `folder` keeps the branch."""
    from pipelines.adapters.git_mirror import GitMirror
    from pipelines.adapters.kubernetes.client import open_cluster

    mirror = GitMirror(applications[0].repository, f"env/{environment}", folder, credentials)
    cluster = open_cluster()
    names = tuple(one.settings.application for one in applications)
    branch = BranchWatch(mirror, applications, log)
    first = applications[0].settings
    states = SyncStates(cluster, first.namespace, environment, log)
    scope = LiveScope(cluster, WatchedCache(cluster, log), replace(first, earlier=names))
    return branch, [
        ApplicationSync(
            one, Syncer(cluster, one.settings, scope=scope), states, branch, leaving, log,
            ours=names, operation_seconds=operation_seconds,
        )
        for one in applications
    ]  # fmt: skip


def serve_health(listen: str, live: Callable[[], str], ready: Callable[[], str]) -> None:
    """Until the process ends. Raises BadInput for an address that is none."""
    from pipelines.adapters.health_server import serve

    serve(listen, live, ready)
