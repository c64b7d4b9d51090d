"""What `hold` and `unhold` print."""

from __future__ import annotations

import click

from pipelines.cli.output import print_json


def show_hold(
    environment: str,
    release: str,
    action: str,
    commit: str | None,
    *,
    reason: str,
    already: str,
    output: str,
) -> None:
    """`commit` is None where there was nothing to do; `already` says in which state it was."""
    if output == "json":
        print_json({
            "environment": environment, "release": release, "action": action,
            "changed": commit is not None, "commit": commit,
        })  # fmt: skip
    elif commit is None:
        click.echo(f"{environment}: nothing to do, {release} is {already}")
    else:
        click.echo(f"{environment}: {action} {release} — {reason}")
