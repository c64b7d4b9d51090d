"""`slipway status`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from pipelines.cli.options import examples, output_option, state_option
from pipelines.cli.output import print_json, print_table
from pipelines.cli.session import open_all


@click.command(
    epilog=examples("slipway status", "slipway status production", "slipway status -o json")
)
@click.argument("environment", metavar="[ENV]", required=False)
@state_option
@output_option
def command(environment: str | None, state: Path, output: str) -> None:
    """Show what every environment runs, and whether branch, database and processes agree."""
    from pipelines.flows.status import environment_status

    rows = [environment_status(context) for context in open_all(state, environment)]
    if output == "json":
        print_json({"environments": rows})
    else:
        print_status(rows)


def print_status(rows: Sequence[Mapping[str, Any]]) -> None:
    """One line per environment, then what a person should know."""
    print_table(rows, ["name", "url", "release", "active", "health", "sync", "way_back"])
    for row in rows:
        for words in remarks(row):
            click.echo(f"  {row['name']}: {words}")


def remarks(row: Mapping[str, Any]) -> list[str]:
    """What is not as usual in an environment, with the next thing to type."""
    name, running, frozen = row["name"], row["operation"], row["frozen"]
    said = []
    if row["alarm"]:
        said.append(f"alarm: {row['alarm']} (slipway doctor)")
    if row["landing"]:
        said.append(f"not merged to main: version {row['landing']}")
    if running:
        said.append(f"{running['kind']} by {running['actor']} under way (slipway history {name})")
    if frozen:
        said.append(f"frozen by {frozen['actor']}: {frozen['reason']} (slipway thaw {name})")
    said += [
        f"held: {hold['release']}: {hold['reason'] or 'no reason given'}" for hold in row["held"]
    ]
    if not row["controller"]:
        said.append("no controller runs (slipway up)")
    return said
