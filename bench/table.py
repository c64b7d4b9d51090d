"""Rows of the table of figures, and the document made of them."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

RESULTS = Path(__file__).parent / "results"
CLUSTER = "kubernetes_"
"""What the names of scripts begin with that measure on a cluster."""
HEAD = "| what | must | measured | |\n|---|---|---|---|"


@dataclass(frozen=True, slots=True)
class Row:
    """`good` is None where nothing is demanded. `details` go into the JSON only."""

    what: str
    must: str
    measured: str
    good: bool | None
    details: dict[str, Any] = field(default_factory=dict)

    def markdown(self) -> str:
        verdict = {True: "✓", False: "✗", None: ""}[self.good]
        return f"| {self.what} | {self.must} | {self.measured} | {verdict} |"


def percentile(values: Iterable[float], share: float) -> float:
    """Nearest-rank percentile; 0.0 of nothing."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))] if ordered else 0.0


def spread(values: Sequence[float], unit: str = "s", digits: int = 2) -> str:
    """`p50 · p95 · slowest (n)` for people."""
    p50, p95 = percentile(values, 0.5), percentile(values, 0.95)
    slowest = max(values, default=0.0)
    return (
        f"p50 {p50:.{digits}f} · p95 {p95:.{digits}f} · slowest {slowest:.{digits}f} {unit}"
        f" (n = {len(values)})"
    )


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "at": datetime.now(UTC).isoformat(timespec="seconds"),
        "cores": os.cpu_count(),
        "memory_gib": round(pages / 2**30, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def save(name: str, rows: Sequence[Row], *, quick: bool) -> Path:
    """Write bench/results/<name>.json."""
    RESULTS.mkdir(exist_ok=True)
    path = RESULTS / f"{name}.json"
    document = {"machine": machine(), "quick": quick, "rows": [asdict(row) for row in rows]}
    path.write_text(json.dumps(document, indent=1) + "\n")
    return path


def _marked(row: Row, *, quick: bool) -> Row:
    """A quick run repeats less than is demanded, so it proves nothing by itself."""
    if not quick:
        return row
    good = None if row.good else row.good
    return replace(row, measured=f"{row.measured}; quick run, fewer repetitions", good=good)


def document(names: Iterable[str]) -> str:
    """docs/benchmarks.md, from whatever results there are, in the order of `names`; what a cluster
    is needed for stands in a part of its own."""
    groups: dict[bool, list[str]] = {False: [], True: []}
    for name in names:
        groups[name.startswith(CLUSTER)].append(name)
    machine_part, about = _part(groups[False])
    cluster_part, cluster_about = _part(groups[True])
    return (
        "# Benchmarks\n\nMade by `make bench`; each script in `bench/` says how its figure is "
        f"measured.\nMeasured on one machine ({about}) that also ran the load and, where there is "
        f"one, the baseline.\n\n{machine_part}\n## On Kubernetes\n\nMade by `make "
        "bench-kubernetes` on a real cluster of one node (`make cluster-up`); API server, node and "
        f"peers share\nthe machine ({cluster_about}), so only what stands side by side compares."
        f"\n\n{cluster_part}"
    )


def _part(names: Iterable[str]) -> tuple[str, str]:
    """A table with what is to be said under it, and the machine of its last result."""
    lines, notes, about = [HEAD], [], ""
    for name in names:
        path = RESULTS / f"{name}.json"
        if not path.exists():
            lines.append(Row(f"`bench/{name}.py`", "", "not measured here yet", None).markdown())
            continue
        result = json.loads(path.read_text())
        about = _about(result["machine"])
        rows = [Row(**row) for row in result["rows"]]
        lines += [_marked(row, quick=result["quick"]).markdown() for row in rows]
        notes += [f"- {row.details['why']}" for row in rows if row.details.get("why")]
    said = ["", "Why a figure is missed, and what to know of one:", "", *notes] if notes else []
    return "\n".join([*lines, *said]) + "\n", about


def _about(facts: dict[str, Any]) -> str:
    return (
        f"{facts['cores']} cores, {facts['memory_gib']} GiB, Linux {facts['kernel']}, "
        f"Python {facts['python']}, {facts['at'][:10]}"
    )
