"""trading latched show|keep: what only a person may lift, carried over a restored database.

trading latched show --output json > latched.json
trading latched keep "$(cat latched.json)"
"""

from __future__ import annotations

import argparse
import json
from typing import Any

from trading.cli.printing import emit
from trading.errors import InvalidInput
from trading.settings import Settings

KILL_SWITCH = "kill switch"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", required=True)
    actions.add_parser("show", help="what is latched now")
    keep = actions.add_parser("keep", help="latch again what `show` said; lifts nothing")
    keep.add_argument("document", metavar="JSON", help="what `show --output json` printed")


def run(args: argparse.Namespace) -> int:
    from trading.control.database import connect
    from trading.risk import killswitch

    wanted = _wanted(args.document) if args.action == "keep" else []
    url = Settings.from_environment().need_database_url()
    with connect(url, "trading latched") as connection:
        for one in wanted:
            killswitch.trip(connection, one["reason"], one["actor"])
        switch = killswitch.read(connection)
    told = {"name": KILL_SWITCH, "reason": switch.reason, "actor": switch.actor}
    human = f"{KILL_SWITCH}: {switch.reason}" if switch.killed else ""
    emit(args, {"latched": [told] if switch.killed else []}, human)
    return 0


def _wanted(text: str) -> list[dict[str, str]]:
    try:
        document: Any = json.loads(text)
        found = [{key: str(one[key]) for key in ("reason", "actor")} for one in document["latched"]]
    except (ValueError, KeyError, TypeError) as error:
        raise InvalidInput(
            f"{text[:100]!r} is not what `trading latched show --output json` prints"
        ) from error
    return found
