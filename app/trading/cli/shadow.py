"""Compare, on the last stored bars, what this release would decide live with its backtest."""

from __future__ import annotations

import argparse

from trading.cli.printing import emit_checks
from trading.errors import InvalidInput
from trading.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--bars", type=int, default=60, help="days to compare (default 60)")


def run(args: argparse.Namespace) -> int:
    if not 1 <= args.bars <= 5_000:
        raise InvalidInput(f"--bars is {args.bars}; it takes 1 to 5000", bars=args.bars)
    from trading.control.database import connect
    from trading.control.shadow import shadow_run
    from trading.strategies.registry import load_all

    settings = Settings.from_environment()
    strategies = load_all(settings.values())
    with connect(settings.need_database_url(), "trading shadow") as connection:
        return emit_checks(args, shadow_run(connection, strategies, args.bars))
