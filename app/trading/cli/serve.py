"""trading serve: one process of the application, until SIGTERM."""

from __future__ import annotations

import argparse
from importlib import import_module

_ROLES = {
    "api": "trading.api.server",
    "trader": "trading.control.serve",
    "venue": "trading.venues.paper.serve",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("role", choices=_ROLES)
    parser.add_argument("--port", type=int, help="of 127.0.0.1, when run by hand; 0: any")


def run(args: argparse.Namespace) -> int:
    main = import_module(_ROLES[args.role]).main
    code: int = main(args.port)
    return code
