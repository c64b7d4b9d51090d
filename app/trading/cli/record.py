"""Compare what was signalled and ordered live since a moment with this release's own backtest."""

from __future__ import annotations

import argparse
from datetime import UTC, datetime

from trading.cli.printing import emit_checks
from trading.errors import InvalidInput
from trading.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--since", required=True, help="moment in ISO 8601, UTC without an offset")
    parser.add_argument(
        "--least", type=int, default=0, metavar="DAYS", help="fail with fewer completed days"
    )


def run(args: argparse.Namespace) -> int:
    since = _moment(args.since)
    from trading.control.database import connect
    from trading.control.record import against_record
    from trading.strategies.registry import load_all

    settings = Settings.from_environment()
    strategies = load_all(settings.values())
    with connect(settings.need_database_url(), "trading record") as connection:
        checks = against_record(connection, strategies, settings.release, since, args.least)
    return emit_checks(args, checks)


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(
            f"--since is {text!r}; it takes ISO 8601, e.g. 2026-01-31T12:00:00Z", since=text
        ) from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
