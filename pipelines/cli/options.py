"""Options that several commands share, and what they mean."""

from __future__ import annotations

import getpass
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from pipelines.cli.hand_over import state_of
from pipelines.model.errors import BadInput
from pipelines.model.release import ENVIRONMENTS

F = TypeVar("F", bound=Callable[..., Any])


def _state(ctx: click.Context, parameter: click.Parameter, value: str | None) -> Path:
    arguments = ["--state", value] if value else []
    return Path(state_of(arguments, os.environ))


state_option = click.option(
    "--state", metavar="DIR", callback=_state, expose_value=True,
    help="State folder of the installation (SLIPWAY_STATE; default: .slipway of the checkout).",
)  # fmt: skip
output_option = click.option(
    "-o", "--output", type=click.Choice(["text", "json"]), default="text", show_default=True,
    help="json: one object on standard output, for programs.",
)  # fmt: skip
yes_option = click.option("--yes", is_flag=True, help="Do not ask for confirmation.")


def reason_option(words: str) -> Callable[[F], F]:
    return click.option("--reason", metavar="TEXT", default="", callback=_readable, help=words)


def _readable(ctx: click.Context, parameter: click.Parameter, value: str) -> str:
    """A terminal may send bytes that are no UTF-8; nothing is refused for that in the night."""
    return value.encode(errors="surrogateescape").decode(errors="replace")


def _environment(ctx: click.Context, parameter: click.Parameter, value: str) -> str:
    if value not in ENVIRONMENTS:
        known = ", ".join(ENVIRONMENTS)
        raise BadInput(f"unknown environment '{value}'", hint=f"environments are: {known}")
    return value


class SeveralWords(click.Command):
    """A command without arguments of its own: words after an option that may be given several
    times are that option again, so that `-f *.yaml` means what the shell makes of it."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        several = {
            name
            for option in self.params
            if isinstance(option, click.Option) and option.multiple
            for name in option.opts
        }
        return super().parse_args(ctx, _spread(args, several))


def _spread(args: list[str], several: set[str]) -> list[str]:
    """`-f a b` as `-f a -f b`."""
    found: list[str] = []
    current, taken = "", False
    for word in args:
        if word.startswith("-") and word != "-":
            current, taken = (word if word in several else ""), False
        elif current and taken:
            found.append(current)
        else:
            taken = True
        found.append(word)
    return found


environment_argument = click.argument("environment", metavar="ENV", callback=_environment)


def examples(*lines: str) -> str:
    """Epilog of a command's help: lines to paste."""
    return "\b\nExamples:\n" + "\n".join(f"  {line}" for line in lines)


def actor() -> str:
    """Who acts: SLIPWAY_ACTOR, or the user's name. Asserted, not proved, on one machine."""
    try:
        return os.environ.get("SLIPWAY_ACTOR") or getpass.getuser()
    except (KeyError, OSError):  # a user id without a name
        return f"uid-{os.getuid()}"


def require_reason(reason: str, what: str) -> str:
    if not reason.strip():
        raise BadInput(f"{what} needs a reason", hint='add --reason "…": it is kept in the audit')
    return reason.strip()


def confirm(word: str, what: str, *, yes: bool) -> None:
    """Ask for a whole word; without a terminal and without --yes the answer is no."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise BadInput(f"{what}: not confirmed", hint="add --yes to confirm without a terminal")
    click.echo(what)
    if click.prompt(f"Type '{word}' to go on", default="", show_default=False) != word:
        raise BadInput("not confirmed; nothing was changed", hint=f"type the whole word '{word}'")
