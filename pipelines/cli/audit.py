"""`slipway audit show|verify ENV`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from pipelines.cli.options import environment_argument, examples, output_option, state_option
from pipelines.cli.output import print_json, print_table
from pipelines.cli.session import open_all, open_environment
from pipelines.model.errors import SlipwayError

COLUMNS = ["sequence", "at", "actor", "action", "result", "reason"]
NEWEST = 5


@click.group()
def command() -> None:
    """Show or verify the append-only record of who did what, when and why."""


@command.command(epilog=examples("slipway audit show production", "slipway audit show dev -o json"))
@environment_argument
@click.option("--limit", default=30, show_default=True, type=click.IntRange(1, 100000))
@state_option
@output_option
def show(environment: str, limit: int, state: Path, output: str) -> None:
    """Print the newest entries of ENV."""
    entries = [
        asdict(one) for one in open_environment(state, environment).records.audit.entries(limit)
    ]
    if output == "json":
        print_json({"environment": environment, "entries": entries})
    else:
        print_table(entries, COLUMNS)


@command.command(epilog=examples("slipway audit verify", "slipway audit verify production"))
@click.argument("environment", metavar="[ENV]", required=False)
@state_option
@output_option
def verify(environment: str | None, state: Path, output: str) -> int:
    """Check that nobody edited the record: its chain, and the heads anchored in env/ENV.

    Prints the newest entries too: who did what, when and why.
    """
    found: dict[str, list[str]] = {}
    newest: dict[str, list[dict[str, Any]]] = {}
    for context in open_all(state, environment):
        entries = context.records.audit.entries(NEWEST)
        newest[context.environment] = [asdict(entry) for entry in entries]
        try:
            anchors = context.origin.anchors(context.environment)
        except SlipwayError as error:
            found[context.environment] = [f"anchors could not be read: {error.message}"]
            continue
        found[context.environment] = list(context.records.audit.verify(anchors))
    whole = not any(found.values())
    if output == "json":
        print_json({"whole": whole, "problems": found, "newest": newest})
    else:
        for name, problems in found.items():
            click.echo(f"{name}: {'whole' if not problems else ''}")
            for problem in problems:
                click.echo(f"  {problem}")
            print_table(newest[name], COLUMNS)
    return 0 if whole else 1
