"""Helm for checks: its library in an environment of its own, made at the first check with charts.

The library is large (244 MB unpacked); an engine without a cluster to serve does not carry it.
"""

from __future__ import annotations

import importlib.util
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.adapters.check_environments import CheckEnvironments
from pipelines.adapters.kubernetes.helm_library import HelmLibrary
from pipelines.adapters.kubernetes.helm_program import HelmProgram, program
from pipelines.model.errors import BadInput, Unavailable

LOCK = "requirements-kubernetes.lock"


class CheckCharts:
    """`engine.charts.ChartRenderer`. `lock` is the engine's own, never that of the change. Safe to
    use from several threads; the way to Helm is chosen at the first rendering."""

    def __init__(
        self, environments: CheckEnvironments, lock: Path, say: Callable[[str], None] | None = None
    ) -> None:
        self._environments = environments
        self._lock = lock
        self._say = say or (lambda _: None)
        self._guard = threading.Lock()
        self._chosen: HelmLibrary | HelmProgram | None = None

    def render(
        self, chart: Path, values: Sequence[Mapping[str, Any]], *, name: str, namespace: str
    ) -> str:
        """Raises Unavailable where there is neither library nor program: a gate does not guess."""
        with self._guard:
            if self._chosen is None:
                self._chosen = self._choose()
        return self._chosen.render(chart, values, name=name, namespace=namespace)

    def close(self) -> None:
        """The helper process is gone afterwards."""
        with self._guard:
            if self._chosen is not None:
                self._chosen.close()

    def _choose(self) -> HelmLibrary | HelmProgram:
        """What `HELM` names, the library beside the engine, the library of the lock, the program."""
        if named := os.environ.get("HELM"):
            return HelmProgram(named)
        if importlib.util.find_spec("helm_python"):
            return HelmLibrary()
        try:
            return HelmLibrary(python=self._environments.python(self._lock))
        except (BadInput, Unavailable) as error:
            if found := program():
                return HelmProgram(found)
            raise Unavailable(
                f"charts cannot be rendered: {error.message}",
                hint="reach a package index once, or put helm on PATH (or its path in HELM)",
            ) from error
