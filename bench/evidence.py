"""Evidence of a release with some twenty statements: verified by the command, and by its parts."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

from bench.context import Bench
from bench.table import Row, spread
from tests.unit.evidence.ledgers import SOURCE, ledger, say_much

LIMIT_SECONDS = 1.0


def run(bench: Bench) -> list[Row]:
    return [_command(bench), *_ledger(bench)]


def _command(bench: Bench) -> Row:
    """Exec of `slipway evidence verify` to its end, on an installation with the same statements."""
    installation = bench.installation
    release = installation.agreement("dev").row()["release"]
    shown = installation.ok("evidence", "show", release)
    evidence = ledger(installation.state)
    while len(evidence.proven(shown["source"]).statements) < 20:
        say_much(evidence, shown["source"])
    seconds = []
    for _ in range(bench.times(20, 3)):
        seconds.append(bench.demand(installation.run("evidence", "verify", release)).seconds)
    count = len(evidence.proven(shown["source"]).statements)
    return Row(
        f"`slipway evidence verify` of a release with {count} statements",
        f"≤ {LIMIT_SECONDS:g} s",
        spread(seconds),
        max(seconds) <= LIMIT_SECONDS,
        {"seconds": seconds},
    )


def _ledger(bench: Bench) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="slipway-bench-evidence-") as folder:
        evidence = ledger(Path(folder))
        began = time.perf_counter()
        said = say_much(evidence)
        each = (time.perf_counter() - began) / said
        seconds = []
        for _ in range(bench.times(50, 5)):
            began = time.perf_counter()
            assert not evidence.proven(SOURCE).problems
            seconds.append(time.perf_counter() - began)
    return [
        Row(
            f"{said} statements verified by a running engine",
            f"≤ {LIMIT_SECONDS:g} s",
            spread(seconds, digits=4),
            max(seconds) <= LIMIT_SECONDS,
            {"seconds": seconds},
        ),
        Row("one statement signed and on disk", "", f"{each * 1000:.1f} ms", None),
    ]
