"""One migration rehearsed on 500,000 rows while the release before answers requests.

The first rehearsal generates the rows; the others copy them. Both are told, the limit is for all.
"""

from __future__ import annotations

from typing import Any

from bench.context import Bench
from bench.table import Row, spread
from pipelines.adapters.check_environments import CheckEnvironments
from pipelines.adapters.rehearsal_database import LocalRehearsals
from pipelines.model.check import PASSED
from tests.support import rehearsing

MOST_SECONDS, MOST_STALL_SECONDS = 30.0, 0.3


def _one(place: rehearsing.Bench) -> dict[str, Any]:
    note = rehearsing.NOTE
    result = place.judge(place.change({note.file: str(note)}))
    if result.status != PASSED:
        raise RuntimeError(f"{result.status}: {result.summary}")
    return {**result.observed["rehearsal"], "rows": result.document["rehearsal"]["rows"]}


def run(bench: Bench) -> list[Row]:
    folder = bench.root / "rehearsal"
    folder.mkdir(mode=0o755)
    environments = CheckEnvironments(folder / "venvs", rehearsing.ROOT / "requirements-check.lock")
    environments.tools()
    environments.python(rehearsing.ROOT / "app/requirements.lock")
    place = rehearsing.Bench(folder, environments, LocalRehearsals(None, folder / "cache"))
    cold, *warm = [_one(place) for _ in range(1 + bench.times(10, 2))]
    seconds = [one["seconds"] for one in warm]
    stalls = [one["longest_stall_seconds"] for one in (cold, *warm)]
    return [
        Row(
            f"rehearsal of one migration on {cold['rows']:,} rows",
            f"≤ {MOST_SECONDS:g} s",
            spread(seconds, digits=1),
            max(seconds) <= MOST_SECONDS,
            {"seconds": seconds},
        ),
        Row(
            "the same, generating the rows first (once for each release before)",
            f"≤ {MOST_SECONDS:g} s",
            f"{cold['seconds']:.1f} s",
            cold["seconds"] <= MOST_SECONDS,
            {"seconds": [cold["seconds"]]},
        ),
        Row(
            "longest wait of a request to the release before, meanwhile",
            f"≤ {MOST_STALL_SECONDS * 1000:g} ms",
            spread([stall * 1000 for stall in stalls], unit="ms", digits=0),
            max(stalls) <= MOST_STALL_SECONDS,
            {"seconds": stalls},
        ),
    ]
