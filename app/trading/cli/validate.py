"""Check what must be true before this release may trade: schema, strategies, limits, engine."""

from __future__ import annotations

import argparse

from trading.cli.printing import emit_checks
from trading.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--offline", action="store_true", help="leave out what needs a database")


def run(args: argparse.Namespace) -> int:
    from trading.control.validation import validate

    settings = Settings.from_environment()
    return emit_checks(args, validate(settings, with_database=not args.offline))
