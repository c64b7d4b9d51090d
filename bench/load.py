"""The load generator in a process of its own, so that it has its own event loop and core."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.harness.installation import REPOSITORY, Installation

FOREVER_SECONDS = 24 * 3600


@dataclass(frozen=True, slots=True)
class Sample:
    """One request: wall clock when it was due, latency in seconds, HTTP status (0: broken)."""

    due: float
    latency: float
    status: int


@dataclass
class Load:
    """Runs `python -m tests.load.generator` against the live socket of an environment."""

    process: subprocess.Popen[str]
    samples_file: Path

    @classmethod
    def start(
        cls, installation: Installation, environment: str, *, seconds: float, rate: float = 350.0,
        order_share: float = 0.3, options: tuple[str, ...] = (),
    ) -> Load:  # fmt: skip
        samples = installation.state.parent / f"samples-{environment}.txt"
        url = f"http://127.0.0.1:{installation.port(environment)}"
        words = [
            sys.executable, "-m", "tests.load.generator", "--url", url,
            "--token-file", str(installation.state / "token"), "--seconds", f"{seconds:.0f}",
            "--rate", f"{rate:.0f}", "--order-share", f"{order_share}",
            "--samples", str(samples), *options,
        ]  # fmt: skip
        process = subprocess.Popen(words, cwd=REPOSITORY, stdout=subprocess.PIPE, text=True)
        return cls(process, samples)

    def alive(self) -> bool:
        return self.process.poll() is None

    def wait(self, timeout: float = FOREVER_SECONDS) -> tuple[dict[str, Any], list[Sample]]:
        """Until it ends by itself: its report and every request."""
        out, _ = self.process.communicate(timeout=timeout)
        samples = []
        for line in self.samples_file.read_text().splitlines():
            due, milliseconds, status = line.split()
            samples.append(Sample(float(due), float(milliseconds) / 1000, int(status)))
        return dict(json.loads(out)), samples

    def kill(self) -> None:
        if self.alive():
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()
