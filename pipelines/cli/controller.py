"""`slipway controller ENV`: started by the supervisor of an environment, seldom by a person."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Any

import click

from pipelines.cli.in_cluster import in_cluster_options, log, refuse_outside, run_in_cluster
from pipelines.cli.options import environment_argument, examples, output_option, state_option
from pipelines.controller import allocator


@click.command(epilog=examples(
    "slipway controller dev", "slipway controller production --observe",
    "slipway controller dev --in-cluster --application application.yaml",
))  # fmt: skip
@environment_argument
@click.option("--observe", is_flag=True,
              help="Never go forward: publish reverts and holds. As a matter of course where "
              "somebody in the cluster syncs the branch (`controller: deployment` or `argo-cd`); "
              "refused where nobody does.")  # fmt: skip
@click.option("--supervised", is_flag=True, hidden=True, help="Leave when the parent is replaced.")
@in_cluster_options
@state_option
@output_option
def command(
    environment: str, observe: bool, supervised: bool, in_cluster: bool, state: Path, output: str,
    **place: Any,
) -> None:  # fmt: skip
    """Keep ENV what its branch and its database say: release, heal, publish. Runs until stopped.

    `slipway up` starts one per environment. A second one waits for the lock of the first.

    With --in-cluster it is who syncs the branch where the environment says `controller: deployment`:
    it needs no installation, reads the Applications that one would give to Argo CD, and acts in the
    cluster in whose pod it runs. charts/controller starts it.
    """
    allocator.keep_little()
    if in_cluster:
        run_in_cluster(environment, state, observe=observe, **place)
        return
    refuse_outside(place)
    from pipelines import wiring
    from pipelines.controller.loop import Controller
    from pipelines.flows.context import Progress
    from pipelines.model.errors import BadInput, SlipwayError

    def progress(event: Progress) -> None:
        log(f"{event.step} {event.status} {event.detail}".rstrip())

    context = wiring.open_context(state, environment, actor="controller", progress=progress)
    if observe and context.observed is None:
        raise BadInput(
            f"--observe: nobody but Slipway takes releases into {environment}",
            hint="let somebody in the cluster do it: `kubernetes: {controller: deployment}`, or"
            f" argo-cd, in environments/{environment}/environment.yaml on main, then slipway up",
        )
    controller = Controller(context, log, supervised=supervised)
    if environment == wiring.WORKER:
        from pipelines import wiring_jobs
        from pipelines.controller.jobs import Worker

        controller.worker = Worker(
            wiring.open_jobs(state), wiring_jobs.open_branches(state), wiring_jobs.starter(state),
            engine=wiring_jobs.engine_id(), acting=controller.acting, log=log,
        )  # fmt: skip
    with suppress(SlipwayError):  # without a cluster to watch, looking again and again is the way
        wiring.watch(context, controller.woken.set)
    controller.run()
