"""`slipway logs ENV`."""

from __future__ import annotations

import time
from pathlib import Path

import click

from pipelines.cli.options import environment_argument, examples, output_option, state_option
from pipelines.cli.output import print_json
from pipelines.cli.tail import Follower, last_lines

POLL_SECONDS = 0.5


@click.command(
    epilog=examples(
        "slipway logs production",
        "slipway logs production --slot green --lines 200",
        "slipway logs dev --process controller --follow",
    )
)
@environment_argument
@click.option("--slot", type=click.Choice(["blue", "green"]), help="Only processes of this slot.")
@click.option("--process", help="Only this process: api, trader, venue, controller, postgres …")
@click.option("--lines", "-n", default=30, show_default=True, type=click.IntRange(1, 100000))
@click.option("--follow", "-f", is_flag=True, help="Go on printing until Ctrl-C.")
@state_option
@output_option
def command(
    environment: str, slot: str | None, process: str | None, lines: int, follow: bool,
    state: Path, output: str,
) -> None:  # fmt: skip
    """Print the last lines of what the processes of ENV write.

    On a cluster: of its pods, and of the controller here. To follow a pod: kubectl logs --follow.
    """
    from pipelines import wiring

    files = [
        path for path in wiring.log_files(state, environment)
        if (slot is None or f"/slots/{slot}/" in str(path))
        and (process is None or process in path.name)
    ]  # fmt: skip
    pods = wiring.pod_logs(state, environment, slot, process, lines)
    if output == "json":
        here = [{"file": str(p), "lines": last_lines(p, lines)} for p in files]
        print_json({"logs": [*here, *({"pod": n, "lines": t} for n, t in pods.items())]})
        return
    for name, text in pods.items():
        click.echo(click.style(f"── pod {name}", fg="cyan"))
        for line in text:
            click.echo(line)
    if not files and not pods:
        click.echo("no such log; try without --slot and --process", err=True)
    followers = []
    for path in files:
        click.echo(click.style(f"── {path}", fg="cyan"))
        for line in last_lines(path, lines):
            click.echo(line)
        followers.append(Follower(path))
    while follow:
        for one in followers:
            for line in one.new_lines():
                click.echo(f"{one.path.stem}: {line}")
        time.sleep(POLL_SECONDS)
