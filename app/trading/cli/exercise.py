"""Ask a running API for what its users ask, orders included, and tell what they would notice.

Meant for a rehearsal on a copy; an environment whose name is not `dev` is refused. SIGTERM ends it
early, and it reports as if the time were over. Exit code 1 when a request failed or none was made.
"""

from __future__ import annotations

import argparse
import asyncio
import signal

from trading.cli.printing import emit
from trading.settings import Settings

LONGEST_SECONDS, HIGHEST_RATE = 3600.0, 500.0


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--url", required=True, help="http://127.0.0.1:PORT of the API")
    parser.add_argument("--seconds", type=_seconds, required=True)
    parser.add_argument("--rate", type=_rate, default=60.0, help="requests a second (60)")


def run(args: argparse.Namespace) -> int:
    from trading.api.exercise import Report

    report = asyncio.run(_exercise(args, Settings.from_environment().token()))
    assert isinstance(report, Report)
    document = report.document()
    emit(args, document, ", ".join(f"{name} {value}" for name, value in document.items()))
    return 0 if report.good else 1


async def _exercise(args: argparse.Namespace, token: str) -> object:
    from trading.api.exercise import Exercise

    exercise = Exercise(args.url, token, rate=args.rate)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, exercise.stop)
    return await exercise.run(args.seconds)


def _seconds(text: str) -> float:
    return _between(text, 0.1, LONGEST_SECONDS)


def _rate(text: str) -> float:
    return _between(text, 1.0, HIGHEST_RATE)


def _between(text: str, low: float, high: float) -> float:
    value = float(text)
    if not low <= value <= high:
        raise argparse.ArgumentTypeError(f"{text} is not between {low:g} and {high:g}")
    return value
