"""The application's commands, run in the release's own interpreter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from pipelines.model.release import Release
from pipelines.targets.local.ports import CommandResult, Processes


class ApplicationCommands:
    def __init__(self, processes: Processes) -> None:
        self.processes = processes

    def run(
        self,
        release: Release,
        python: Path,
        env: Mapping[str, str],
        command: str,
        args: Sequence[str],
        timeout_seconds: float,
    ) -> CommandResult:
        application = release.application
        # Checks compete with the active slot for the machine; the hand-over must not wait for them.
        polite = [] if command == "handover" else ["nice", "-n", "10"]
        argv = [*polite, str(python), "-m", application.module]
        argv += [*application.commands[command], *args]
        return self.processes.json_command([*argv, "--output", "json"], env, timeout_seconds)
