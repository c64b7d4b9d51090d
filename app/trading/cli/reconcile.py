"""trading reconcile: compare the ledger with the venue's book. Changes nothing."""

from __future__ import annotations

import argparse

from trading.cli.printing import emit_checks
from trading.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """No options: both sides come from the environment."""


def run(args: argparse.Namespace) -> int:
    from trading.control.comparison import compare
    from trading.control.database import connect
    from trading.migrations.ledger import require_schema

    settings = Settings.from_environment()
    venue_url, token = settings.need_venue_url(), settings.token()
    with connect(settings.need_database_url(), "trading reconcile") as connection:
        require_schema(connection)
        return emit_checks(args, compare(connection, venue_url, token))
