"""The command tree. A command's module is imported when it is used, not before."""

from __future__ import annotations

import difflib
import json
import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from itertools import pairwise

import click

from pipelines.model.errors import BadInput, NeedsPerson, SlipwayError

# section -> command -> one line; the module is the command's own name.
SECTIONS: dict[str, dict[str, str]] = {
    "Installation": {
        "up": "Install, or bring back, everything on this machine.",
        "down": "Stop everything of an installation.",
        "doctor": "Say what is wrong with this machine before it hurts.",
    },
    "Change": {
        "check": "Say what a reviewer would about the commits of a branch.",
        "approve": "Sign that a branch may be merged and released.",
        "policy": "Judge branch, flow and rules as they stand; or one branch name.",
        "merge": "Merge a checked and approved branch into develop.",
    },
    "Release": {
        "build": "Build HEAD of the checkout into a release.",
        "image": "Make the container image of a release, or of Slipway itself.",
        "releases": "List the releases that were built.",
        "promote": "Release into an environment, blue-green.",
        "rollback": "Go back to the release before, in under a second.",
        "sync": "Make what runs equal to the branch of the environment.",
        "hold": "Keep a release from coming back.",
        "unhold": "Let a held release be promoted again.",
        "freeze": "Refuse promotions into an environment.",
        "thaw": "Allow promotions again.",
    },
    "Look": {
        "status": "Show every environment: release, slots, health, sync.",
        "diff": "Show what a promotion would change.",
        "plan": "Show what a sync would do, from manifests in files.",
        "health": "Judge the health of Kubernetes objects in files.",
        "history": "Show what ran, when, and who asked for it.",
        "why": "Show strategy, release, commit and people behind an order.",
        "logs": "Show what processes of an environment print.",
        "audit": "Show or verify the record of who did what.",
        "evidence": "Show or verify who says what about a release.",
        "lock": "Show or break the lock of an environment.",
    },
    "Data": {
        "backup": "Take and verify a backup of an environment's database.",
        "restore": "Put the database of an environment back to a backup.",
        "migrate": "Run contract migrations, which close ways back.",
    },
    "Machinery": {
        "controller": "Keep an environment what its branch says (runs until stopped).",
        "hook": "Take a step of a release inside a cluster (for jobs of the chart).",
    },
}
COMMANDS = {name: line for section in SECTIONS.values() for name, line in section.items()}


class Commands(click.Group):
    """The top of the tree: lists from the table above without importing anything."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command = import_module(f"pipelines.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in COMMANDS:
            near = difflib.get_close_matches(args[0], COMMANDS, n=1)
            hint = f"Did you mean '{near[0]}'?" if near else "See `slipway --help`."
            raise click.UsageError(f"No such command '{args[0]}'. {hint}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for section, commands in SECTIONS.items():
            with formatter.section(section):
                formatter.write_dl(list(commands.items()))


@click.command(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="Exit codes: 0 done or nothing to do · 1 refused or failed check · 2 bad input · "
    "3 in progress elsewhere · 4 failed and safely undone · 5 needs a person.",
)
@click.version_option(package_name="slipway")
def tree() -> None:
    """Ship a trading application: from commit to production with evidence, and back."""


def wants_json(arguments: Sequence[str]) -> bool:
    words = list(arguments)
    return not {"--output=json", "-ojson"}.isdisjoint(words) or any(
        a in ("--output", "-o") and b == "json" for a, b in pairwise(words)
    )


def report(error: SlipwayError, *, as_json: bool) -> None:
    """Two lines for a person, one object for a program; never a traceback, also where the disk behind
    standard output is full: then a program's answer goes where a person's goes."""
    if as_json:
        body = {"message": error.message, "hint": error.hint, "exit_code": error.exit_code}
        with suppress(OSError):
            click.echo(json.dumps({"error": body}))
            return
    with suppress(OSError):
        click.echo(click.style("Error: ", fg="red") + error.message, err=True, color=_colours())
        if error.hint:
            click.echo(f"  {error.hint}", err=True)


def _colours() -> bool | None:
    """None: where a person looks. `NO_COLOR` (no-color.org) counts when it is not empty."""
    return False if os.environ.get("NO_COLOR") else None


def _usage(error: click.ClickException) -> SlipwayError:
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "slipway"
    return BadInput(error.format_message(), hint=f"{command} --help")


def unexpected(error: Exception) -> NeedsPerson:
    """A full disk says so itself; anything else is a defect of this command."""
    if isinstance(error, OSError):
        where = f": {error.filename}" if error.filename else ""
        return NeedsPerson(f"{error.strerror or error}{where}", hint="slipway doctor")
    return NeedsPerson(
        f"a defect: {type(error).__name__}: {error}",
        hint="SLIPWAY_DEBUG=1 shows where; what runs is not affected by this command's end",
    )


def run(arguments: Sequence[str]) -> int:
    """Run one command line; returns the exit code instead of raising."""
    try:
        result = tree.main(
            list(arguments), prog_name="slipway", standalone_mode=False, color=_colours()
        )
        return result if isinstance(result, int) else 0
    except SlipwayError as error:
        report(error, as_json=wants_json(arguments))
        return error.exit_code
    except click.ClickException as error:
        if wants_json(arguments):
            report(_usage(error), as_json=True)
        else:
            error.show()
        return error.exit_code
    except click.exceptions.Exit as error:
        return error.exit_code
    except (click.Abort, KeyboardInterrupt):
        click.echo("\nStopped.", err=True)
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return 0
    except Exception as error:
        if os.environ.get("SLIPWAY_DEBUG"):
            raise
        report(unexpected(error), as_json=wants_json(arguments))
        return NeedsPerson.exit_code
