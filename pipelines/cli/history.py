"""`slipway history ENV`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from pipelines.cli.options import environment_argument, examples, output_option, state_option
from pipelines.cli.output import print_json, print_table
from pipelines.cli.session import open_environment, operation_json


@click.command(
    epilog=examples("slipway history production", "slipway history dev --limit 5 -o json")
)
@environment_argument
@click.option("--limit", default=20, show_default=True, type=click.IntRange(1, 1000))
@state_option
@output_option
def command(environment: str, limit: int, state: Path, output: str) -> None:
    """Show promotions, rollbacks and holds of ENV, newest first, with who and why.

    On a cluster also the syncs of its objects.
    """
    context = open_environment(state, environment)
    from pipelines.flows.history import all_syncs, history

    lines = history(context, limit)
    syncs, trouble = all_syncs(context, limit, lines)
    if output == "json":
        print_json({
            "environment": environment,
            "history": lines,
            "operations": [
                operation_json(environment, operation)
                for operation in context.records.journal.history(limit)
            ],
            "syncs": syncs,
            "syncs_unread": trouble,
        })  # fmt: skip
    else:
        print_table(lines, ["at", "kind", "release", "active", "result", "actor", "reason"])
        if syncs:
            click.echo()
            print_syncs(syncs)
        if trouble:
            click.echo(f"\nWhat the syncer in the cluster did cannot be read: {trouble}")


def print_syncs(syncs: Sequence[Mapping[str, Any]]) -> None:
    """One line for each: when, who, which slot or the edge, and what became of how many objects."""
    rows = [
        {
            **one,
            "sync_of": one["part"],
            "objects": len(one["results"]) + one.get("results_left_out", 0),
            "message": one["message"].partition("\n")[0],
        }
        for one in syncs
    ]
    print_table(rows, ["at", "sync_of", "release", "objects", "result", "actor", "message"])
