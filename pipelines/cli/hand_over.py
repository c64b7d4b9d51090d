"""Which installation a command line means, and the hand-over to its installed engine.

The engine must not run from the tree it judges. The command in a checkout's `.venv` therefore
replaces itself by `<state>/engine/current/bin/slipway`, except for the words that make or upgrade
that engine, a release or an image. Only `os` and `sys` are imported: a rollback passes through here.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence

MARKER = "slipway-engine.json"
STAYS_HERE = ("up", "build", "image")


def installed_state(prefix: str) -> str | None:
    """The state folder when this interpreter is an installed engine (`<state>/engine/<id>`)."""
    if not os.path.exists(os.path.join(prefix, MARKER)):
        return None
    return os.path.dirname(os.path.dirname(os.path.realpath(prefix)))


def default_state(prefix: str | None = None) -> str:
    """`.slipway` of the checkout this code lies in, or the state folder of the installed engine."""
    own = installed_state(prefix or sys.prefix)
    if own:
        return own
    here = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    return os.path.join(here, ".slipway")


def state_of(arguments: Sequence[str], environment: Mapping[str, str]) -> str:
    """Absolute state folder: `--state`, then SLIPWAY_STATE, then the default."""
    words = list(arguments)
    for position, word in enumerate(words):
        if word == "--state" and position + 1 < len(words):
            return os.path.abspath(words[position + 1])
        if word.startswith("--state="):
            return os.path.abspath(word.removeprefix("--state="))
    return os.path.abspath(environment.get("SLIPWAY_STATE") or default_state())


def command_of(arguments: Sequence[str]) -> str | None:
    """First word that is no option; None when help is asked for or nothing is said."""
    if "--help" in arguments or "-h" in arguments:
        return None
    return next((word for word in arguments if not word.startswith("-")), None)


def target(arguments: Sequence[str], environment: Mapping[str, str], prefix: str) -> str | None:
    """Program to become, or None to stay: an installed engine never hands over again."""
    if installed_state(prefix) is not None or command_of(arguments) in (None, *STAYS_HERE):
        return None
    if environment.get("SLIPWAY_ENGINE") == "checkout":  # scripts/*, when the engine is broken
        return None
    folder = os.path.join(state_of(arguments, environment), "engine", "current", "bin")
    whole = all(os.access(os.path.join(folder, name), os.X_OK) for name in ("python", "slipway"))
    return os.path.join(folder, "slipway") if whole else None


def hand_over(arguments: Sequence[str]) -> None:
    """Become the installed engine's command when there is one; return otherwise."""
    program = target(arguments, os.environ, sys.prefix)
    if program is None:
        return
    state = state_of(arguments, os.environ)
    os.execve(program, [program, *arguments], {**os.environ, "SLIPWAY_STATE": state})  # noqa: S606
