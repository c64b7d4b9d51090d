"""Measure, print a table, write JSON.

python -m bench                   everything (about 90 minutes)
python -m bench --only rollback   one script, may be repeated
python -m bench --quick           the same with few repetitions: proves that it runs
python -m bench --document        also write docs/benchmarks.md from all results
"""

from __future__ import annotations

import argparse
import importlib
import sys
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import cast

from bench.context import Bench, bench
from bench.table import HEAD, Row, document, save

# In the order in which they run: those that need an installation of their own come first and last.
NAMES = (
    "up",
    "promotion",
    "switches",
    "latency",
    "rollback",
    "handover",
    "failpoints",
    "kills",
    "rehearsal",
    "resources",
    "evidence",
    "check",
    "plan",
    "render",
    "kubernetes_first",
    "kubernetes_noop",
    "kubernetes_heal",
    "kubernetes_memory",
    "kubernetes_push",
    "kubernetes_release",
    "kubernetes_rollback",
    "kubernetes_grow",
    "test_time",
)
DOCUMENT = Path(__file__).parents[1] / "docs" / "benchmarks.md"


def main(arguments: Sequence[str] | None = None) -> int:
    """Exit code 0 when every figure is good, 1 when one is not, 2 when a script failed."""
    parser = argparse.ArgumentParser(
        prog="python -m bench",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--only", action="append", choices=NAMES, metavar="NAME")
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--document", action="store_true", help="write docs/benchmarks.md")
    options = parser.parse_args(arguments)
    broken, bad = [], []
    print(HEAD, flush=True)
    with bench(quick=options.quick) as shared:
        for name in options.only or NAMES:
            rows = _measure(name, shared)
            if rows is None:
                broken.append(name)
                continue
            save(name, rows, quick=options.quick)
            bad += [row.what for row in rows if row.good is False]
            print("\n".join(row.markdown() for row in rows), flush=True)
    if options.document:
        DOCUMENT.write_text(document(NAMES))
    for name in broken:
        print(f"bench.{name} did not finish", file=sys.stderr)
    for what in bad:
        print(f"not reached: {what}", file=sys.stderr)
    return 2 if broken else 1 if bad else 0


def _measure(name: str, shared: Bench) -> list[Row] | None:
    """A script that fails is told and left behind; the others still run."""
    try:
        run = cast(Callable[[Bench], list[Row]], importlib.import_module(f"bench.{name}").run)
        return run(shared)
    except Exception:
        traceback.print_exc()
        return None


if __name__ == "__main__":
    sys.exit(main())
