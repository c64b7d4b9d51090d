"""The child's first line: walls, guard, strategy, conversation; in this order.

Started by the judge as `python -s -S -B -P -c … FOLDER CONFIG`, FOLDER being where `trading` and
`trading_subject` lie. Exit codes: 0 the judge hung up · 86 the strategy did what is forbidden · 87
the walls cannot be put up.
"""

from __future__ import annotations

import importlib.metadata
import json
import os
import pkgutil
import sys
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

from .allowed import STANDARD
from .confine import Limits, Walls
from .guard import Guard
from .loader import GuardedFinder
from .serve import Answer, Server, speak

FORBIDDEN, NO_WALLS = 86, 87
# Modules that allowed ones import on first use only; afterwards no file can be opened.
_LAZY = ("_strptime", "_pydecimal", "encodings.idna", "unicodedata", "zoneinfo", "linecache")


def main() -> None:
    """Runs until the judge closes stdin."""
    config = json.loads(sys.argv[2])
    answers = int(config["answers"])
    limits = Limits(**config["limits"])
    try:
        walls = Walls(limits, config["readable"])
    except OSError as error:
        _write(answers, {"error": "NO_WALLS", "message": str(error)})
        os._exit(NO_WALLS)
    sys.path[:0] = [sys.argv[1]]
    sys.path += config["sites"]
    for name in sorted({*STANDARD, *_LAZY, "pydantic", *config["present"]}):
        import_module(name)
    _serve(config, walls, limits, answers)


def _serve(config: dict[str, Any], walls: Walls, limits: Limits, answers: int) -> None:
    def report(what: str) -> NoReturn:
        _write(answers, {"error": "FORBIDDEN", "message": what[:500]})
        os._exit(FORBIDDEN)

    if config["present"]:  # the packaged prices, in memory as in any backtest
        sys.modules["trading.market_data.sample"].load()
    strategies = Path(sys.argv[1]) / "trading" / "strategies"
    plugin = config["wanted"]["plugin"]
    _only(plugin)
    guard = Guard(plugin, str(strategies / plugin), report)
    finder = GuardedFinder(guard, strategies)
    server = Server(guard, finder, config["wanted"])
    sys.meta_path.insert(0, finder)
    first = server.first_start()
    guard.phase = "starting"
    walls.close()
    guard.phase = "running"
    if first is not None:
        first["walls"] = walls.described(limits)
    speak(server, first, lambda answer: _write(answers, answer))


def _only(plugin: str) -> None:
    """The registry finds this plug-in and no other, without looking at the disk."""
    importlib.metadata.entry_points = lambda **_: ()  # type: ignore[assignment]
    pkgutil.iter_modules = lambda *_, **__: iter(
        [pkgutil.ModuleInfo(None, plugin, True)]  # type: ignore[arg-type]
    )


def _write(descriptor: int, answer: Answer) -> None:
    line = json.dumps(answer, separators=(",", ":")).encode() + b"\n"
    while line:
        line = line[os.write(descriptor, line) :]
