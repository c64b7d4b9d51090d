"""`slipway hook STEP`: a step of a release, run by a job of the chart where Argo CD syncs."""

from __future__ import annotations

import os
from dataclasses import asdict
from pathlib import Path

import click

from pipelines.cli.options import examples, output_option
from pipelines.cli.output import print_json
from pipelines.cli.progress import Printer
from pipelines.model.errors import BadInput
from pipelines.model.hook import STEPS

DELIVERY = "/etc/slipway/settings/delivery.json"
WORK = "/run/slipway"
URL_FILE = "SLIPWAY_DATABASE_URL_FILE"
NAMESPACE = "SLIPWAY_NAMESPACE"


@click.command(
    epilog=examples(
        "slipway hook guard --environment dev --release r-3f2a --slot green",
        "slipway hook switch --environment dev --release r-3f2a --slot green",
    )
)
@click.argument("step", type=click.Choice(STEPS))
@click.option("--environment", metavar="ENV", required=True, help="It must be the branch's.")
@click.option("--release", metavar="ID", required=True, help="It must be the branch's.")
@click.option("--slot", metavar="SLOT", required=True, help="It must be the branch's.")
@click.option("--once-key", metavar="KEY", default="", help="Recorded means: nothing to do.")
@click.option(
    "--part", type=click.Choice(["begin", "judge", "end"]), default="end", show_default=True,
    help="begin: before the application's own container; judge: after it; end: the step itself.",
)  # fmt: skip
@click.option(
    "--delivery", metavar="FILE", default=DELIVERY, show_default=True,
    type=click.Path(dir_okay=False, path_type=Path), help="What the branch says of the release.",
)  # fmt: skip
@click.option(
    "--work", metavar="DIR", default=WORK, show_default=True,
    type=click.Path(file_okay=False, path_type=Path), help="What the containers of the pod share.",
)  # fmt: skip
@click.option(
    "--backups",
    metavar="DIR",
    default="",
    help="Where a backup is kept; 'none' where the environment needs none.",
)
@output_option
def command(
    step: str, environment: str, release: str, slot: str, once_key: str, part: str, backups: str,
    delivery: Path, work: Path, output: str,
) -> None:  # fmt: skip
    """Take STEP of the release that the branch of an environment names, inside its cluster. Not for
    people: jobs of charts/trading call it, in an environment that Argo CD syncs.

    The database is found by SLIPWAY_DATABASE_URL_FILE, the namespace by SLIPWAY_NAMESPACE. Running
    it again does nothing, or goes on where it was killed.
    """
    from pipelines import wiring_hook
    from pipelines.flows.hooks import begin_hook, judge_hook, run_hook

    found = wiring_hook.read_delivery(delivery)
    asked = (environment, release, slot)
    named = (found.state.environment, found.release.id, str(found.state.active))
    if asked != named:
        raise BadInput(
            f"this hook is for {' '.join(asked)}, and {delivery} for {' '.join(named)}",
            hint="a hook and its config map come from one commit: sync again",
        )
    with wiring_hook.open_desk(
        step, found,
        namespace=_variable(NAMESPACE), url_file=Path(_variable(URL_FILE)), work=work,
        once_key=once_key, backups=backups, progress=Printer(quiet=output == "json"),
    ) as desk:  # fmt: skip
        if part == "end":
            record = run_hook(desk, step)
            status, message = record.status, record.message
            body = asdict(record)
        else:
            message = (begin_hook if part == "begin" else judge_hook)(desk, step)
            status, body = part, {"step": step, "part": part, "message": message}
    if output == "json":
        print_json(body)
    else:
        click.echo(f"{step}: {status}: {message}")


def _variable(name: str) -> str:
    value = os.environ.get(name, "")
    if not value:
        raise BadInput(f"{name} is not set", hint="the jobs of charts/trading set it")
    return value
