"""trading migrate: what the database has, lacks, and bringing the two together."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any, cast

from trading.cli.printing import emit
from trading.settings import Settings

if TYPE_CHECKING:
    from trading.migrations.scripts import Kind


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True, metavar="status|up|down")
    actions.add_parser("status", help="applied, pending and unknown migrations")
    up = actions.add_parser("up", help="apply what is pending")
    up.add_argument("--kind", choices=["expand", "contract"], default="expand")
    up.add_argument("--patience", type=float, default=30.0, metavar="SECONDS")
    down = actions.add_parser("down", help="undo everything after a revision")
    down.add_argument("--to", required=True, metavar="REVISION", help="or: base")


def run(args: argparse.Namespace) -> int:
    settings = Settings.from_environment()
    url = settings.need_database_url()
    if args.action == "status":
        return _status(args, url)
    from trading.migrations import runner

    if args.action == "up":
        kind = cast("Kind", args.kind)
        done = runner.up(url, kind, release=settings.release, patience_seconds=args.patience)
        emit(args, {"applied": done}, f"applied: {', '.join(done) or 'nothing was pending'}")
    else:
        done = runner.down(url, args.to)
        emit(args, {"undone": done}, f"undone: {', '.join(done) or 'nothing was above'}")
    return 0


def _status(args: argparse.Namespace, url: str) -> int:
    from trading.control.database import connect
    from trading.migrations.ledger import status

    with connect(url) as connection:
        state = status(connection)
    emit(args, state, _text(state))
    return 0


def _text(state: dict[str, Any]) -> str:
    lines = [f"applied   {', '.join(state['applied']) or '-'}"]
    lines += [
        f"pending   {item['revision']} ({item['kind']}) {item['message']}"
        for item in state["pending"]
    ]
    if state["missing"]:
        lines.append(f"unknown to this release: {', '.join(state['missing'])}")
    return "\n".join(lines)
