"""The command `trading`: imports the one module it needs, turns errors into exit codes.

Exit codes: 0 done · 1 refused or a check failed · 2 bad input or usage.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from difflib import get_close_matches
from importlib import import_module

from trading.errors import InvalidInput, TradingError

# name: (module, one line of help). Only the named module is imported: `handover` must answer in
# a quarter of a second, and most of that is importing.
COMMANDS: dict[str, tuple[str, str]] = {
    "serve": ("trading.cli.serve", "run a process: api, trader or venue"),
    "backtest": ("trading.cli.backtest", "run a strategy over the sample data"),
    "examine": ("trading.cli.examine", "examine a strategy in a sandbox, with a report"),
    "validate": ("trading.cli.validate", "check schema, strategies, limits and engine"),
    "shadow": ("trading.cli.shadow", "compare the live path's signals with the backtest's"),
    "record": ("trading.cli.record", "compare the signals recorded live with the backtest's"),
    "reconcile": ("trading.cli.reconcile", "compare the ledger with the venue's book"),
    "migrate": ("trading.cli.migrate", "status, up or down of the database schema"),
    "handover": ("trading.cli.handover", "show, switch or confirm the active slot"),
    "populate": ("trading.cli.populate", "fill a copy with made-up rows, to rehearse migrations"),
    "exercise": ("trading.cli.exercise", "ask a running API as its users do, and time it"),
    "latched": ("trading.cli.latched", "what only a person may lift, over a restored database"),
    "why": ("trading.cli.why", "explain where an order came from"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code; a `TradingError` never becomes a traceback."""
    arguments = list(sys.argv[1:] if argv is None else argv)
    output = "json" if "json" in arguments else "human"  # until the option itself is read
    try:
        output = _take_output(arguments)
        return _run(arguments, output)
    except TradingError as error:
        _print_error(error, output)
        return error.exit_code
    except BrokenPipeError:  # the reader went away, as `head` does
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except KeyboardInterrupt:
        return 130


def _run(arguments: list[str], output: str) -> int:
    name = arguments[0] if arguments else "--help"
    if name in {"-h", "--help", "help"}:
        print(_usage())
        return 0 if arguments else 2
    if name == "--version":
        from trading import __version__

        print(__version__)
        return 0
    if name not in COMMANDS:
        near = get_close_matches(name, COMMANDS, n=1)
        hint = f"did you mean `trading {near[0]}`?" if near else "see `trading --help`"
        raise InvalidInput(f"there is no command {name!r}; {hint}", command=name)
    module_name, help_line = COMMANDS[name]
    module = import_module(module_name)
    parser = argparse.ArgumentParser(
        prog=f"trading {name}",
        description=module.__doc__ or help_line,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    module.add_arguments(parser)
    args = parser.parse_args(arguments[1:])
    args.output = output
    code: int = module.run(args)
    return code


def _take_output(arguments: list[str]) -> str:
    """Remove `--output json|human`, wherever it stands, and return its value."""
    for index, word in enumerate(arguments):
        option, equals, value = word.partition("=")
        if option != "--output":
            continue
        if not equals:
            value = arguments[index + 1] if index + 1 < len(arguments) else ""
        del arguments[index : index + (1 if equals else 2)]
        if value not in {"json", "human"}:
            raise InvalidInput(f"--output is {value!r}; it takes json or human", output=value)
        return value
    return "human"


def _print_error(error: TradingError, output: str) -> None:
    if output == "json":
        print(json.dumps(error.as_dict(), ensure_ascii=False))
    else:
        print(f"trading: {error.message}\n  {error.machine()}", file=sys.stderr)


def _usage() -> str:
    width = max(map(len, COMMANDS))
    lines = [f"  {name:<{width}}  {text}" for name, (_, text) in COMMANDS.items()]
    head = "usage: trading COMMAND [options] [--output json]\n\ncommands:\n"
    tail = "\n\n`trading COMMAND --help` shows the options of one command."
    return head + "\n".join(lines) + tail
