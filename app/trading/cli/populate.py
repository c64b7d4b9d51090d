"""Fill an empty, migrated database with made-up rows: a copy to rehearse migrations on."""

from __future__ import annotations

import argparse

from trading.cli.printing import emit
from trading.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--rows", type=int, required=True, metavar="N", help="of all tables")
    parser.add_argument(
        "--force", action="store_true", help="also where orders are or something is active"
    )


def run(args: argparse.Namespace) -> int:
    from trading.migrations.populate import populate

    url = Settings.from_environment().need_database_url()
    made = populate(url, args.rows, force=args.force)
    counted = ", ".join(f"{count} {table}" for table, count in made.rows.items())
    emit(args, {"rows": made.total, "tables": made.rows}, f"{made.total} rows: {counted}")
    return 0
