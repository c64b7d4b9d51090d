"""Rendering both charts for three environments: Helm's library in its helper, and `helm template`.

The helper is warm: charts loaded, as in a controller. The values differ from round to round, so that
nothing that was rendered before is the answer. `HELM` names the program, else it is on PATH.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from bench.context import Bench
from bench.table import Row, percentile, spread
from pipelines.adapters.kubernetes import helm_program
from pipelines.adapters.kubernetes.helm_library import HelmLibrary
from pipelines.adapters.kubernetes.helm_program import HelmProgram
from pipelines.engine.charts import ChartRenderer
from pipelines.model.release import ENVIRONMENTS

ROOT = Path(__file__).parents[1]
CHARTS = ("trading", "edge")
MUST_MILLISECONDS = 20.0


def run(bench: Bench) -> list[Row]:
    library = HelmLibrary()
    try:
        began = time.perf_counter()
        _round(library, -1)
        first = (time.perf_counter() - began) * 1000
        warm = [_milliseconds(library, number) for number in range(bench.times(200, 20))]
    finally:
        library.close()
    what = "both charts, 3 environments, rendered"
    good = percentile(warm, 0.5) <= MUST_MILLISECONDS
    rows = [
        Row(
            f"{what} in process",
            f"p50 ≤ {MUST_MILLISECONDS:g} ms",
            f"{spread(warm, 'ms', 1)}; the first {first:.0f} ms",
            good,
            {"milliseconds": [round(value, 2) for value in warm]},
        )
    ]
    if (path := helm_program.program()) is None:
        return [*rows, Row(f"{what} by `helm template`", "", "not run: no program helm", None)]
    program = [_milliseconds(HelmProgram(path), number) for number in range(bench.times(20, 3))]
    return [*rows, Row(f"{what} by `helm template`", "", spread(program, "ms", 0), None)]


def _milliseconds(renderer: ChartRenderer, number: int) -> float:
    began = time.perf_counter()
    _round(renderer, number)
    return (time.perf_counter() - began) * 1000


def _round(renderer: ChartRenderer, number: int) -> None:
    over = {"release": {"id": f"r-{number + 2}"}, "hooks": {"enabled": False}}
    for environment in ENVIRONMENTS:
        values = [*_values(environment), over]
        for chart in CHARTS:
            text = renderer.render(
                ROOT / "charts" / chart, values, name=chart, namespace=f"slipway-{environment}"
            )
            if "kind: " not in text:
                raise RuntimeError(f"charts/{chart} renders nothing for {environment}")


_READ: dict[str, list[Mapping[str, Any]]] = {}


def _values(environment: str) -> list[Mapping[str, Any]]:
    """Read once: a release has its values in memory."""
    if environment not in _READ:
        files = (ROOT / "environments" / name / "values.yaml" for name in ("base", environment))
        _READ[environment] = [yaml.safe_load(file.read_text()) for file in files]
    return _READ[environment]
