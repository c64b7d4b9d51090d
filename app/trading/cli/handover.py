"""trading handover: show, switch or confirm the active slot, together with the trading lease."""

from __future__ import annotations

import argparse
import json
from datetime import datetime
from typing import Any

from trading.cli.printing import emit
from trading.errors import InvalidInput, SwitchRefused
from trading.settings import SLOTS, Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("show", help="the active row")
    switch = actions.add_parser("switch", help="compare-and-set: another slot becomes active")
    switch.add_argument("--to", required=True, choices=SLOTS)
    switch.add_argument("--release", required=True)
    switch.add_argument("--operation", required=True, help="id; repeating it changes nothing")
    switch.add_argument("--commit", required=True)
    switch.add_argument("--token", required=True, type=int, help="of the environment's lock")
    switch.add_argument("--expect-epoch", required=True, type=int, help="0: no row yet")
    switch.add_argument("--state", required=True, choices=["provisional", "confirmed"])
    switch.add_argument("--confirm-by", default="", metavar="ISO8601")
    switch.add_argument("--unpublished", action="store_true", help="the branch does not know yet")
    switch.add_argument("--reason", default="")
    for name, text in (
        ("confirm", "the soak is over: the switch stays"),
        ("published", "the branch says now what the row says"),
    ):
        action = actions.add_parser(name, help=text)
        action.add_argument("--operation", required=True)
        action.add_argument("--token", required=True, type=int)


def run(args: argparse.Namespace) -> int:
    url = Settings.from_environment().need_database_url()
    confirm_by = _time(args.confirm_by) if args.action == "switch" else None
    from trading.control import handover
    from trading.control.database import connect

    try:
        with connect(url, "trading handover") as connection:
            if args.action == "show":
                row = handover.show(connection)
            elif args.action == "switch":
                row = handover.switch(connection, _wanted(args, confirm_by))
            else:
                row = getattr(handover, args.action)(connection, args.operation, args.token)
    except SwitchRefused as error:
        if args.output != "json":
            raise
        print(json.dumps({**error.as_dict(), "error": error.fields["error"]}))
        return 1
    emit(args, _json_row(row), _text(row))
    return 0


def _wanted(args: argparse.Namespace, confirm_by: datetime | None) -> Any:
    from trading.control.handover import Switch

    return Switch(
        to=args.to,
        release=args.release,
        operation=args.operation,
        commit=args.commit,
        token=args.token,
        expect_epoch=args.expect_epoch,
        state=args.state,
        confirm_by=confirm_by,
        published=not args.unpublished,
        reason=args.reason,
    )


def _time(text: str) -> datetime | None:
    if not text:
        return None
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise InvalidInput(f"--confirm-by is {text!r}; it takes 2030-01-31T12:00:00Z") from error
    if moment.tzinfo is None:
        raise InvalidInput(f"--confirm-by is {text!r}; add its offset, e.g. a Z at the end")
    return moment


def _json_row(row: dict[str, Any] | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in row.items()
    }


def _text(row: dict[str, Any] | None) -> str:
    if row is None:
        return "no slot is active yet"
    what = f"release {row['release']}, epoch {row['epoch']}, {row['state']}"
    return f"{row['slot']} is active: {what}"
