"""`slipway lock status|break ENV`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from pipelines.cli.options import (
    confirm,
    environment_argument,
    examples,
    output_option,
    reason_option,
    require_reason,
    state_option,
    yes_option,
)
from pipelines.cli.output import print_json
from pipelines.cli.session import open_environment


@click.group()
def command() -> None:
    """Show or break the lock of an environment. A rollback needs neither: it takes the lock."""


@command.command(epilog=examples("slipway lock status production"))
@environment_argument
@state_option
@output_option
def status(environment: str, state: Path, output: str) -> None:
    """Say who acts on ENV, since when, and whether that process lives."""
    held = open_environment(state, environment).records.lock.status()
    if output == "json":
        print_json({"environment": environment, "lock": asdict(held) if held else None})
    elif held is None:
        click.echo(f"{environment}: free")
    else:
        life = "alive" if held.alive else "dead: the next operation takes it over"
        click.echo(f"{environment}: {held.holder} (process {held.pid}, {life}) — {held.purpose}")
        click.echo(f"  since {held.acquired_at}, lease until {held.expires_at}, token {held.token}")


@command.command("break", epilog=examples('slipway lock break staging --reason "laptop asleep"'))
@environment_argument
@reason_option("Why; required.")
@yes_option
@state_option
@output_option
def break_(environment: str, reason: str, yes: bool, state: Path, output: str) -> None:
    """Take the lock of ENV from whoever has it; what that one still writes is refused as stale."""
    require_reason(reason, "breaking a lock")
    context = open_environment(state, environment)
    held = context.records.lock.status()
    if held is None:
        if output == "json":
            print_json({"environment": environment, "token": None, "was": None})
        else:
            click.echo(f"{environment}: free, nothing to do")
        return
    confirm("break", f"{environment}: {held.holder} holds the lock for {held.purpose}.", yes=yes)
    from pipelines.flows.locks import break_lock

    token = break_lock(context, reason)
    if output == "json":
        print_json({"environment": environment, "token": token, "was": asdict(held)})
    else:
        click.echo(
            f"{environment}: lock broken, token {token}; {held.holder} is refused from now on"
        )
