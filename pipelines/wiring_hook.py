"""Puts adapters into a hook in a cluster: no state folder, no git, the pod's own account."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, cast

from pipelines.flows.context import Context, Progress
from pipelines.flows.hook_desk import Desk
from pipelines.model import delivery as deliveries
from pipelines.model.delivery import Delivery
from pipelines.model.errors import BadInput, Refused
from pipelines.targets.kubernetes.hook_files import HookFiles
from pipelines.targets.kubernetes.inside import InsideTarget, NoManifests
from pipelines.targets.kubernetes.layout import Place
from pipelines.targets.kubernetes.ports import KubernetesAdapters

ASKS_THE_CLUSTER = ("verify", "switch")


def read_delivery(file: Path) -> Delivery:
    """Raises BadInput."""
    try:
        return deliveries.parse(file.read_text(), str(file))
    except OSError as error:
        raise BadInput(
            f"{file}: {error.strerror}",
            hint="the branch's config map of the hooks is mounted there",
        ) from None


@contextmanager
def open_desk(
    step: str,
    delivery: Delivery,
    *,
    namespace: str,
    url_file: Path | None,
    work: Path,
    once_key: str,
    backups: str,
    progress: Callable[[Progress], None],
) -> Iterator[Desk]:
    """What one hook has; its own records go with it."""
    from pipelines.adapters.hook_rows import HookRows
    from pipelines.adapters.sqlite import open_records

    environment = delivery.state.environment
    rows, files = HookRows(url_file, environment), HookFiles(work)
    with tempfile.TemporaryDirectory(prefix="slipway-hook-") as folder:
        context = Context(
            environment=environment,
            state=Path(folder),
            records=open_records(Path(folder), environment),
            target=_target(step, delivery, namespace, rows, files, backups),
            origin=cast(Any, None),
            store=cast(Any, delivery),
            settings=lambda: delivery.settings,
            evidence=lambda: _not_here("evidence"),
            source=lambda: _not_here("the source"),
            sibling=lambda _: _not_here("another environment"),
            wake=lambda: False,
            actor=f"hook {step}",
            progress=progress,
        )
        try:
            yield Desk(context, delivery, rows, files, once_key, backups)
        finally:
            rows.close()


def _target(
    step: str, delivery: Delivery, namespace: str, rows: Any, files: HookFiles, backups: str
) -> InsideTarget:
    from pipelines.adapters.http import PlainHttp

    application = delivery.release.application.name
    place = Place(delivery.state.environment, namespace, application, (application,))
    adapters = KubernetesAdapters(
        cluster=_cluster(step),
        manifests=NoManifests(),
        syncer=NoManifests(),
        rows=rows,
        backups=_backups(delivery.state.environment, rows, backups),
        http=PlainHttp(),
        keeper=cast(Any, None),
    )
    return InsideTarget(place, delivery, adapters, files)


def _cluster(step: str) -> Any:
    """Hooks before the slot have no account that may ask anything."""
    if step not in ASKS_THE_CLUSTER:
        return None
    from pipelines.adapters.kubernetes.client import open_cluster

    return open_cluster()


def _backups(environment: str, rows: Any, folder: str) -> Any:
    from pipelines.adapters.kubernetes.dumps import Dumps
    from pipelines.adapters.rows_url import database_url

    return Dumps(Path(folder), lambda: database_url(rows.url_file, environment))


def _not_here(what: str) -> NoReturn:
    raise Refused(f"a hook in a cluster does not have {what}")
