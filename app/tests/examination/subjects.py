"""Making packages to examine out of single files, and examining them on little data."""

from __future__ import annotations

import shutil
from decimal import Decimal
from pathlib import Path

from trading.examination.examine import Examination, Request, examine
from trading.examination.limits import Limits
from trading.examination.package import OWN
from trading.examination.runs import Wanted
from trading.values import Values
from trading.venues.costs import Costs

MATERIAL = Path(__file__).parent / "material"
WIDE = {
    "trades": {"least": 2},
    "max_drawdown": {"most": 0.95},
    "out_of_sample_sharpe": {"least": -9},
}
"""The material is about honesty, not about profit."""


def limits(**changes: object) -> Limits:
    """Wide limits of risk and short ones of time."""
    return Limits.model_validate(
        {"limits": WIDE, "other_bars": 50, "answer_seconds": 8, "memory_megabytes": 384, **changes}
    )


def package(folder: Path, name: str, source: str) -> Path:
    """The application with one strategy `name` laid over it; the folder that holds it."""
    left_out = shutil.ignore_patterns("__pycache__", "static", "templates", "examination")
    shutil.copytree(OWN / "trading", folder / "trading", ignore=left_out)
    strategy = folder / "trading" / "strategies" / name
    strategy.mkdir()
    (strategy / "__init__.py").write_text(source)
    return folder


def examined(
    subject: Path,
    name: str,
    symbols: tuple[str, ...] = ("FB",),
    asked: Limits | None = None,
    costs: Costs | None = None,
    base: Path | None = None,
) -> Examination:
    """By default over the 196 days of FB."""
    return examine(
        Request(
            wanted=Wanted(name, name.replace("_", "-"), symbols, Decimal(100_000)),
            costs=costs or Values().costs.schedule(),
            limits=asked or limits(),
            subject=subject,
            base=base,
        )
    )


def problems(found: Examination) -> dict[str, str]:
    """The message of each failed check that was really made, and its details."""
    return {
        check.name: "\n".join((check.message, *check.details))
        for check in found.checks
        if not check.ok and not check.message.startswith("not examined")
    }
