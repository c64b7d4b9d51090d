"""trading why ORDER_ID: strategy, parameters, release and people behind an order."""

from __future__ import annotations

import argparse
from typing import Any

from trading.cli.printing import emit
from trading.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("order_id", metavar="ORDER_ID")


def run(args: argparse.Namespace) -> int:
    from trading.control.database import connect
    from trading.orders.origin import why

    with connect(Settings.from_environment().need_database_url(), "trading why") as connection:
        origin = why(connection, args.order_id)
    emit(args, origin, _text(origin))
    return 0


def _text(origin: dict[str, Any]) -> str:
    order, signal = origin["order"], origin["signal"]
    lines = [
        f"{order['client_order_id']}: {order['side']} {order['quantity']} {order['symbol']} "
        f"({order['type']}), {order['state']}, filled {order['filled_quantity']}",
        f"  asked by   {order['source']}: {origin['strategy']} {origin['parameters'] or ''}",
        f"  release    {origin['release']}, commit {origin['commit'] or 'unknown'}, "
        f"author {origin['author'] or 'unknown'}",
    ]
    if signal:
        lines.append(
            f"  signal     {signal['bar_timestamp']:%Y-%m-%d} target "
            f"{signal['target_quantity']}: {signal['reason']}"
        )
    if order["reason"]:
        lines.append(f"  reason     {order['reason']}")
    lines += [
        f"  {event['at']:%Y-%m-%d %H:%M:%S.%f}  {event['from_state'] or '':<16} -> "
        f"{event['to_state']:<16} {event['detail']} {event['fencing_token'] or ''}"
        for event in origin["events"]
    ]
    lines += [
        f"  fill       {fill['quantity']} at {fill['price']}, fee {fill['fee']}, "
        f"day {fill['bar_timestamp']:%Y-%m-%d}"
        for fill in origin["fills"]
    ]
    return "\n".join(lines)
