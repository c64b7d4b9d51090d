"""The Kubernetes target over a real cluster and a real PostgreSQL, with the second application."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pipelines.adapters.http import PlainHttp
from pipelines.adapters.kubernetes.client import open_cluster
from pipelines.adapters.postgres import LocalPostgres
from pipelines.adapters.rows import PostgresRows
from pipelines.adapters.rows_url import UrlRows
from pipelines.adapters.sqlite import open_records
from pipelines.model.live import BackupInfo
from pipelines.model.resource import ResourceKey
from pipelines.records.sync_diary import SyncDiary
from pipelines.targets.kubernetes.environment_sync import EnvironmentSync
from pipelines.targets.kubernetes.layout import Place
from pipelines.targets.kubernetes.ports import KubernetesAdapters
from pipelines.targets.kubernetes.slot_manifests import ChartManifests
from pipelines.targets.kubernetes.target import KubernetesTarget
from pipelines.targets.local.layout import Installation, Layout
from tests.cluster.standing import Standing
from tests.target_suite.echo_manifests import EchoTexts
from tests.target_suite.hands import ClusterHands, Hands
from tests.target_suite.local import EchoReleases
from tests.target_suite.ports import free_base_port

ENVIRONMENT = "staging"
RESTRICTED = {"pod-security.kubernetes.io/enforce": "restricted"}


class NoBackups:
    """A database that the suite's cluster does not have."""

    def take(self, reason: str) -> BackupInfo:
        raise NotImplementedError

    def all(self) -> list[BackupInfo]:
        return []

    def refuse_restore(self, name: str) -> None:
        raise NotImplementedError


class NoKeeper:
    def abandoned(self) -> bool:
        return False

    def start(self, argv: object) -> None:
        pass

    def stop(self) -> None:
        pass


def database_file(layout: Layout) -> Path:
    """A URL to the local server: for an application without a database only the row is there."""
    file = layout.root / "database.url"
    host, passfile = str(layout.runtime).replace("/", "%2F"), layout.admin_passfile
    file.write_text(f"postgresql://slipway@/trading?host={host}&passfile={passfile}\n")
    file.chmod(0o600)
    return file


class ReturningRows(UrlRows):
    """Whoever runs the database brings it back: here, when the schema is looked at."""

    def __init__(self, url_file: Path, environment: str, postgres: LocalPostgres) -> None:
        super().__init__(url_file, environment)
        self.postgres = postgres

    def apply_schema(self) -> None:
        self.postgres.ensure()
        super().apply_schema()


@contextmanager
def running_cluster_target(
    folder: Path, standing: Standing, image: str
) -> Iterator[tuple[KubernetesTarget, EchoReleases, Hands]]:
    """In a namespace of its own, under the restricted Pod Security standard; it is deleted after."""
    installation = Installation.create(folder / "state", folder, free_base_port())
    layout = installation.layout(ENVIRONMENT)
    postgres = LocalPostgres(layout)
    cluster = open_cluster(standing.context, standing.kubeconfig)
    namespace = f"suite-{secrets.token_hex(4)}"
    key = ResourceKey("", "Namespace", "", namespace)
    try:
        postgres.ensure()
        PostgresRows(layout).apply_schema()
        cluster.create(
            {
                "apiVersion": "v1",
                "kind": "Namespace",
                "metadata": {"name": namespace, "labels": RESTRICTED},
            }
        )
        place = Place(ENVIRONMENT, namespace, "echo", (f"echo-{ENVIRONMENT}",))
        releases = EchoReleases(folder)
        records = open_records(installation.state, ENVIRONMENT)
        adapters = KubernetesAdapters(
            cluster=cluster,
            manifests=ChartManifests(place, EchoTexts(ENVIRONMENT, image)),
            syncer=EnvironmentSync(
                place, cluster, SyncDiary(lambda: records), timeout_seconds=60.0
            ),
            rows=ReturningRows(database_file(layout), ENVIRONMENT, postgres),
            backups=NoBackups(),
            http=PlainHttp(),
            keeper=NoKeeper(),
        )
        target = KubernetesTarget(place, releases, adapters)
        yield target, releases, ClusterHands(target, postgres)
    finally:
        cluster.delete(key)
        postgres.stop()
        cluster.close()
