"""Which target an environment of an installation has, and the adapters of one on a cluster.

Where an environment runs is decided on `main`, but a rollback must not need git: `slipway up` keeps
what `main` says in a file of the state folder, and everything else reads that.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from pipelines.model.environment import ARGO_CD, DEPLOYMENT, EnvironmentSettings, KubernetesSettings
from pipelines.model.errors import NeedsPerson, SlipwayError
from pipelines.model.hook import HookRecords
from pipelines.model.sync_state import SyncState
from pipelines.targets.kubernetes.layout import Place
from pipelines.targets.local.controller_keeper import CLUSTER_FILE
from pipelines.targets.local.layout import Layout, write_atomically

if TYPE_CHECKING:
    from pipelines.adapters.kubernetes.client import ApiServer
    from pipelines.flows.ports import ReleaseStore
    from pipelines.records.protocols import Records
    from pipelines.targets.kubernetes.manifests import BranchManifests
    from pipelines.targets.kubernetes.target import KubernetesTarget
    from pipelines.targets.protocol import Target

IN_CLUSTER = "slipway-controller"
APPLICATION = "trading"
"""Of an environment that never had a release."""


def remembered_file(layout: Layout) -> Path:
    return layout.root / CLUSTER_FILE


def remembered(layout: Layout) -> KubernetesSettings | None:
    """Where the environment runs, None for this machine. Raises NeedsPerson for a damaged file."""
    file = remembered_file(layout)
    try:
        return KubernetesSettings(**json.loads(file.read_text()))
    except FileNotFoundError:
        return None
    except (ValueError, TypeError) as error:
        raise NeedsPerson(
            f"{file} is damaged: {error}", hint="remove it, then: slipway up"
        ) from None


def remember(layout: Layout, settings: EnvironmentSettings) -> None:
    """What `main` says counts from now on."""
    file = remembered_file(layout)
    if settings.kubernetes is None:
        file.unlink(missing_ok=True)
        return
    text = json.dumps(asdict(settings.kubernetes), indent=1, sort_keys=True) + "\n"
    if not file.exists() or file.read_text() != text:
        layout.root.mkdir(parents=True, exist_ok=True, mode=0o700)
        write_atomically(file, text)


def refuse_other_target(layout: Layout, settings: EnvironmentSettings) -> EnvironmentSettings:
    """Raises NeedsPerson when `main` says something else than this installation acts on."""
    if settings.kubernetes != remembered(layout):
        raise NeedsPerson(
            f"environments/{layout.environment}/environment.yaml was changed: target"
            f" {settings.target}, as main says it, is not what runs here",
            hint="slipway up takes it over; what ran elsewhere goes on running there",
        )
    return settings


def open_target(
    layout: Layout,
    settings: KubernetesSettings,
    store: ReleaseStore,
    manifests: BranchManifests,
) -> KubernetesTarget:
    """Nothing is asked of cluster or database yet, except where the cluster is."""
    from pipelines.adapters.http import PlainHttp
    from pipelines.adapters.kubernetes.controller_keeper import HostKeeper
    from pipelines.adapters.kubernetes.dumps import Dumps
    from pipelines.adapters.rows_url import UrlRows, database_url
    from pipelines.adapters.sqlite import open_records
    from pipelines.records.sync_diary import SyncDiary
    from pipelines.targets.kubernetes.environment_sync import EnvironmentSync
    from pipelines.targets.kubernetes.observed import ObservedTarget
    from pipelines.targets.kubernetes.ports import KubernetesAdapters
    from pipelines.targets.kubernetes.slot_manifests import ChartManifests
    from pipelines.targets.kubernetes.target import KubernetesTarget

    def records() -> Records:
        return open_records(layout.installation.state, layout.environment)

    place = place_of(layout, settings, store)
    cluster = _open_cluster(layout.environment, settings.context)
    file = url_file(layout, settings)
    adapters = KubernetesAdapters(
        cluster=cluster,
        manifests=ChartManifests(place, manifests),
        syncer=EnvironmentSync(
            *(place, cluster, SyncDiary(records)),
            timeout_seconds=settings.operation_timeout_seconds,
        ),
        rows=UrlRows(file, layout.environment),
        backups=Dumps(layout.backups, lambda: database_url(file, layout.environment)),
        http=PlainHttp(),
        keeper=HostKeeper(layout),
    )
    kind = ObservedTarget if settings.hooked else KubernetesTarget
    return kind(place, store, adapters)


def _open_cluster(environment: str, context: str) -> ApiServer:
    """Raises NeedsPerson in a `.venv` that was made when no environment ran on a cluster."""
    try:
        from pipelines.adapters.kubernetes.client import open_cluster
    except ModuleNotFoundError as error:
        raise NeedsPerson(
            f"{environment} runs on a cluster, and {error.name} is not installed here",
            hint="make venv",
        ) from None
    return open_cluster(context)


def open_hooks(
    layout: Layout, target: Target
) -> tuple[HookRecords | None, Callable[[str], str] | None, str]:
    """What hooks of an environment on a cluster wrote down; and, where somebody in the cluster syncs
    it, their word about a commit. The name is whose hooks those are, as records have it."""
    settings = remembered(layout)
    if settings is None:
        return None, None, ARGO_CD
    from pipelines.adapters.hook_rows import HookRows
    from pipelines.targets.kubernetes import argo, sync_states
    from pipelines.targets.kubernetes.target import KubernetesTarget

    assert isinstance(target, KubernetesTarget)
    cluster, place = target.cluster, target.place
    rows = HookRows(url_file(layout, settings), layout.environment)
    if not settings.hooked:
        return rows, None, ARGO_CD
    theirs, name = (argo, ARGO_CD) if settings.controller == ARGO_CD else (sync_states, IN_CLUSTER)
    return rows, lambda commit: theirs.failed_sync(cluster, place, commit), name


def written_syncs(layout: Layout, target: Target) -> Callable[[], Sequence[SyncState]] | None:
    """What Slipway's syncer in the cluster writes down; None where it does not sync."""
    settings = remembered(layout)
    if settings is None or settings.controller != DEPLOYMENT:
        return None
    from pipelines.targets.kubernetes import sync_states
    from pipelines.targets.kubernetes.target import KubernetesTarget

    assert isinstance(target, KubernetesTarget)
    cluster, namespace = target.cluster, settings.namespace
    return lambda: sync_states.read_all(cluster, namespace)


def place_of(layout: Layout, settings: KubernetesSettings, store: ReleaseStore) -> Place:
    try:
        newest = store.newest()
    except SlipwayError:
        newest = None
    application = newest.application.name if newest else APPLICATION
    name = f"{application}-{layout.environment}"
    return Place(layout.environment, settings.namespace, application, (name,))


def url_file(layout: Layout, settings: KubernetesSettings) -> Path | None:
    """A relative path lies in the state folder."""
    if not settings.database_url_file:
        return None
    return layout.installation.state / settings.database_url_file
