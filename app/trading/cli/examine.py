"""Examine a strategy: what a careful reviewer would try before it may trade.

`--strategy` is a plug-in (`sma_cross`). Without `--instance` and `--values` it runs with its
default parameters, symbols and costs. The strategy runs in a sandbox; this process judges.
"""

from __future__ import annotations

import argparse
import re
import sys
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING

from trading.cli.printing import emit
from trading.errors import FileUnreadable, InvalidInput

if TYPE_CHECKING:
    from trading.examination.runs import Wanted
    from trading.values import Values

_PLUGIN = re.compile(r"[a-z][a-z0-9_]{0,39}")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--strategy", required=True, metavar="PLUGIN", help="name of its folder")
    parser.add_argument("--instance", metavar="NAME", help="its instance in the values")
    parser.add_argument("--values", type=Path, metavar="FILE", help="merged values.yaml")
    parser.add_argument("--limits", type=Path, required=True, metavar="FILE", help="what is asked")
    parser.add_argument(
        "--subject", type=Path, metavar="FOLDER", help="holds the package trading to examine"
    )
    parser.add_argument(
        "--base-subject", type=Path, metavar="FOLDER", help="the same before the change"
    )
    parser.add_argument("--base-values", type=Path, metavar="FILE", help="values before the change")
    parser.add_argument("--report-dir", type=Path, metavar="DIR", help="write report.html here")
    parser.add_argument("--seed", type=int, default=1, help="of the sample of bars (default 1)")


def run(args: argparse.Namespace) -> int:
    from trading.examination import limits, package
    from trading.examination.document import as_json
    from trading.examination.examine import Request, examine
    from trading.examination.report import text, write

    if not _PLUGIN.fullmatch(args.strategy):
        raise InvalidInput(f"--strategy is {args.strategy[:60]!r}; it takes a folder's name")
    values = _values(args.values)
    before = _values(args.base_values) if args.base_values else values
    request = Request(
        wanted=_wanted(args, values),
        costs=values.costs.schedule(),
        limits=limits.load(args.limits),
        subject=args.subject or package.OWN,
        base=args.base_subject,
        base_wanted=_base_wanted(args, before),
        seed=args.seed,
    )
    found = examine(request, _say if sys.stderr.isatty() else lambda _: None)
    if args.report_dir:
        try:
            write(found, args.report_dir)
        except OSError as error:
            raise FileUnreadable(
                f"{args.report_dir} cannot be written to: {error.strerror}", path=args.report_dir
            ) from error
    emit(args, as_json(found), text(found, args.report_dir))
    return 0 if found.ok else 1


def _values(path: Path | None) -> Values:
    from trading.values import Values, load

    return load(path) if path else Values()


def _wanted(args: argparse.Namespace, values: Values) -> Wanted:
    from trading.examination.runs import Wanted
    from trading.values import StrategyValues

    if args.instance is None:
        chosen = StrategyValues(plugin=args.strategy, capital=Decimal(100_000))
        name = args.strategy.replace("_", "-")
    else:
        found = values.strategies.get(args.instance)
        if found is None or found.plugin != args.strategy:
            raise InvalidInput(
                f"--instance {args.instance!r} is no instance of {args.strategy} in the values; "
                f"they have {', '.join(sorted(values.strategies)) or 'none'}",
                instance=args.instance,
            )
        chosen, name = found, args.instance
    return Wanted(args.strategy, name, chosen.symbols, chosen.capital, dict(chosen.parameters))


def _base_wanted(args: argparse.Namespace, before: Values) -> Wanted | None:
    """The instance as it was; None where it was not there or ran another plug-in."""
    try:
        return _wanted(args, before)
    except InvalidInput:
        return None


def _say(words: str) -> None:
    print(f"{words} …", file=sys.stderr, flush=True)
