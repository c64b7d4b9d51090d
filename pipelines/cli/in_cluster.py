"""What `slipway controller ENV --in-cluster` is told, and how it begins."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from functools import reduce
from pathlib import Path
from typing import Any, TypeVar

import click

from pipelines.model.environment import OPERATION_SECONDS
from pipelines.model.errors import BadInput

F = TypeVar("F", bound=Callable[..., Any])
_OPTIONS = (
    click.option("--in-cluster", is_flag=True,
                 help="Sync the branch, from inside the environment's cluster."),
    click.option("--application", "applications", metavar="FILE", multiple=True,
                 type=click.Path(dir_okay=False, path_type=Path),
                 help="An Application, as for Argo CD; give it again for each. With --in-cluster."),
    click.option("--repository", metavar="URL", default="",
                 help="Instead of the Applications' repoURL. With --in-cluster."),
    click.option("--credentials", metavar="DIR", default=None,
                 type=click.Path(file_okay=False, path_type=Path),
                 help="Files to log in at the repository: username and password, or ssh-privatekey "
                 "and known_hosts; ca.crt. With --in-cluster."),
    click.option("--operation-timeout", metavar="SECONDS", default=OPERATION_SECONDS,
                 show_default=True, type=click.FloatRange(10, 86_400),
                 help="A sync that takes longer failed; hooks have their own limits on top. With "
                 "--in-cluster."),
    click.option("--listen", metavar="HOST:PORT", default="",
                 help="Answer /health/live and /health/ready there. With --in-cluster."),
)  # fmt: skip


def in_cluster_options(command: F) -> F:
    return reduce(lambda made, option: option(made), reversed(_OPTIONS), command)


def log(words: str) -> None:
    sys.stdout.write(words + "\n")
    sys.stdout.flush()


def refuse_outside(place: dict[str, Any]) -> None:
    """Raises BadInput for what says nothing to a controller that is not in the cluster."""
    for name in ("applications", "repository", "credentials", "listen"):
        if place[name]:
            word = "application" if name == "applications" else name
            raise BadInput(
                f"--{word} is for a controller inside its cluster", hint="add --in-cluster"
            )


def run_in_cluster(
    environment: str, state: Path, *, observe: bool, applications: tuple[Path, ...],
    repository: str, credentials: Path | None, operation_timeout: float, listen: str,
) -> None:  # fmt: skip
    """Until SIGTERM. `state` keeps the branch while git is away. Raises BadInput."""
    from pipelines import wiring_in_cluster
    from pipelines.controller.in_cluster import InCluster

    if observe:
        raise BadInput(
            "--observe and --in-cluster exclude each other",
            hint="the release host observes what the controller in the cluster does",
        )
    leaving = threading.Event()
    found = wiring_in_cluster.read_applications(applications, environment, repository)
    branch, syncs = wiring_in_cluster.open_syncs(
        environment, found, state / "mirror" / f"{environment}.git", credentials, leaving,
        operation_seconds=operation_timeout, log=_timed,
    )  # fmt: skip
    controller = InCluster(branch, syncs, leaving, _timed)
    if listen:
        wiring_in_cluster.serve_health(listen, controller.live, controller.ready)
    names = ", ".join(one.name for one in syncs)
    _timed(f"syncing {names} from {found[0].repository}, branch {found[0].revision}")
    controller.run()


def _timed(words: str) -> None:
    """One event, one line."""
    log(f"{datetime.now(UTC).isoformat(timespec='milliseconds')} {' '.join(words.split())}")
