"""The same branch by Slipway's own syncer: what Argo CD is told by `application.yaml`, it is told too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from pipelines.adapters.kubernetes.client import open_cluster
from pipelines.engine.sync import application_yaml
from pipelines.engine.sync.application_yaml import Application
from pipelines.engine.sync.manifests import read_documents, refuse_twins
from pipelines.engine.sync.moves import Limits
from pipelines.model.resource import Resource
from pipelines.model.sync import SyncOutcome
from pipelines.targets.kubernetes.sync_run import Syncer
from tests.kubernetes.surroundings import Surroundings
from tests.kubernetes.town import Town

OPERATION_SECONDS = 900.0
"""With every hook, on a machine that does other things too."""


def applications(environment: Path) -> list[Application]:
    """Both of an environment, the edge first: slots ask whom its Services lead to."""
    files = [environment / name for name in ("application-edge.yaml", "application.yaml")]
    return [application_yaml.parse(file.read_text(), file.name) for file in files]


def bring(town: Town, environment: Path, there: Surroundings) -> dict[str, SyncOutcome]:
    """What the branch of `town` says, in the namespace of `there`. Application → how it ended."""
    cluster = open_cluster(kubeconfig=town.cluster.kubeconfig)
    ended: dict[str, SyncOutcome] = {}
    try:
        for application in applications(environment):
            settings = replace(application.settings, namespace=there.namespace)
            syncer = Syncer(cluster, settings)
            try:
                desired = _desired(town.manifests(application.path), town, there)
                limits = Limits(operation_seconds=OPERATION_SECONDS)
                ended[settings.application] = syncer.sync(desired, limits=limits)
            finally:
                syncer.close()
    finally:
        cluster.close()
    return ended


def _desired(files: Mapping[str, str], town: Town, there: Surroundings) -> list[Resource]:
    """A RoleBinding names the namespace of its account, and hooks are told theirs."""
    found = [
        resource
        for path, text in files.items()
        for resource in read_documents(text.replace(town.around.namespace, there.namespace), path)
    ]
    refuse_twins(found)
    return found
