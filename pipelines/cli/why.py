"""`slipway why ORDER`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pipelines.cli.options import examples, output_option, state_option
from pipelines.cli.output import print_json
from pipelines.cli.session import open_all


@click.command(
    epilog=examples("slipway why ORDER_ID", "slipway why ORDER_ID --environment staging")
)
@click.argument("order")
@click.option("--environment", "-e", help="Look in this environment only (default: all three).")
@state_option
@output_option
def command(order: str, environment: str | None, state: Path, output: str) -> None:
    """Show what is behind an order: strategy, parameters, signal, release, commit, people."""
    from pipelines.flows.why import why

    answer = why(open_all(state, environment), order)
    if output == "json":
        print_json(answer)
    else:
        print_tree(answer)


def print_tree(value: dict[str, Any], indent: str = "") -> None:
    """Nested facts, one a line."""
    for key, inner in value.items():
        if isinstance(inner, dict):
            click.echo(f"{indent}{key}:")
            print_tree(inner, indent + "  ")
        elif isinstance(inner, list) and inner and isinstance(inner[0], dict):
            click.echo(f"{indent}{key}:")
            for one in inner:
                click.echo(indent + "  - " + ", ".join(f"{k} {v}" for k, v in one.items()))
        else:
            click.echo(f"{indent}{key}: {inner}")
