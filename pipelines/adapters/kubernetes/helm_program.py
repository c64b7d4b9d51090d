"""Helm as a program: `helm template`."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.adapters.kubernetes import helm_text
from pipelines.model.errors import BadInput, Unavailable

_SOURCE = re.compile(r"^# Source: (\S+)\n", re.MULTILINE)


def program() -> str | None:
    """`HELM` where it is set, else `helm` on PATH."""
    return os.environ.get("HELM") or shutil.which("helm")


class HelmProgram:
    """`engine.charts.ChartRenderer`: the text of `HelmLibrary`, 100 times slower."""

    def __init__(self, path: str, seconds: float = helm_text.RENDER_SECONDS) -> None:
        self._path, self._seconds = path, seconds

    def render(
        self, chart: Path, values: Sequence[Mapping[str, Any]], *, name: str, namespace: str
    ) -> str:
        """Raises BadInput with what schema or template refuse, Unavailable when the program is
        missing or takes longer than the limit."""
        if not (chart / "Chart.yaml").is_file():
            raise BadInput(f"{chart} is not a chart: it has no Chart.yaml", hint="ls charts/")
        argv = [
            self._path, "template", name, str(chart.resolve()), "--namespace", namespace,
            "--skip-tests", "--values", "-",
        ]  # fmt: skip
        done = self._run(argv, helm_text.as_json(helm_text.laid_over(values)))
        if done.returncode:
            raise helm_text.refused(chart.name, done.stderr)
        return helm_text.assembled(
            found
            for text in re.split(r"^---$", done.stdout, flags=re.MULTILINE)
            if (source := _SOURCE.search(text))
            for found in helm_text.documents(source[1], text.replace(source[0], "", 1))
        )

    def close(self) -> None:
        """Nothing stays running."""

    def _run(self, argv: list[str], values: str) -> subprocess.CompletedProcess[str]:
        """In a home of its own: nobody's plug-ins, repositories or cluster are looked at."""
        with tempfile.TemporaryDirectory(prefix="slipway-helm-") as home:
            try:
                return subprocess.run(
                    argv,
                    input=values,
                    capture_output=True,
                    text=True,
                    timeout=self._seconds,
                    cwd=home,
                    env={"PATH": os.defpath, "HOME": home, "KUBECONFIG": "/dev/null"},
                )
            except subprocess.TimeoutExpired:
                raise Unavailable(
                    f"{self._path} template did not end within {self._seconds:g} s",
                    hint="look for an endless template in charts/, or try again",
                ) from None
            except OSError as error:
                raise Unavailable(
                    f"cannot start {self._path}: {error.strerror}",
                    hint="install `slipway[kubernetes]`, or put helm on PATH",
                ) from None
