"""`slipway releases`."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.options import examples, output_option, state_option
from pipelines.cli.output import print_json, print_table


@click.command(epilog=examples("slipway releases", "slipway releases -o json"))
@state_option
@output_option
def command(state: Path, output: str) -> None:
    """List the releases that were built, newest first."""
    from pipelines import wiring

    rows = [
        {
            "release": release.id, "version": release.version, "built_at": release.built_at,
            "commit": release.source_commit[:12], "author": release.source_author,
            "subject": release.source_subject,
        }
        for release in sorted(
            wiring.open_store(state).all(), key=lambda one: one.built_at, reverse=True
        )
    ]  # fmt: skip
    if output == "json":
        print_json({"releases": rows})
    else:
        print_table(rows, ["release", "version", "built_at", "commit", "author", "subject"])
