"""What the containers of a hook's pod leave for each other: the engine's and the application's."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from pipelines.model.errors import Unavailable
from pipelines.targets.local.ports import CommandResult

SKIP, UNDO = "skip", "undo-to"


@dataclass(frozen=True, slots=True)
class HookFiles:
    """`folder` lives as long as the pod. charts/trading/files/application.py is the other side."""

    folder: Path

    def skip(self) -> None:
        """The application's container shall do nothing."""
        self._write(SKIP, "")

    def skipped(self) -> bool:
        return (self.folder / SKIP).exists()

    def undo_to(self, revision: str) -> None:
        """The application's next container undoes what came after it."""
        self._write(UNDO, revision)

    def undone_to(self) -> str:
        """Empty: nothing was to be undone."""
        try:
            return (self.folder / UNDO).read_text()
        except FileNotFoundError:
            return ""

    def answered(self, name: str) -> CommandResult | None:
        """What a command answered; None when it was not run. Raises Unavailable for half a file."""
        try:
            said = json.loads((self.folder / f"{name}.json").read_text())
            return CommandResult(said["code"], said["answer"], str(said["errors"]))
        except FileNotFoundError:
            return None
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise Unavailable(
                f"the application's container left no answer of {name}: {error}",
                hint="kubectl logs of this pod, container application",
            ) from None

    def _write(self, name: str, text: str) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_text(text)
