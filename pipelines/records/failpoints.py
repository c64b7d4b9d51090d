"""Places where the process can be made to die, for tests of what is left behind.

File `failpoint` in the state folder arms one kill -9: line 1 `<step.effect>:before|after`, line 2
(optional) the environment. `after` means: the effect has happened and is not recorded yet, the
worst moment. The file is removed first, so one file kills one process.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from pipelines.model.errors import BadInput

FILE = "failpoint"


class Failpoints:
    """Failpoints of one environment. Unarmed, reaching one costs a single failed `open`."""

    def __init__(self, state: Path, environment: str) -> None:
        self._path = state / FILE
        self._environment = environment

    def reach(self, name: str) -> None:
        """Die here when `name` is armed. Does not return then."""
        try:
            lines = self._path.read_text().split()
        except OSError:
            return
        if not lines or lines[0] != name or lines[1:2] not in ([], [self._environment]):
            return
        try:
            self._path.unlink()
        except FileNotFoundError:
            return  # another process took it: it dies, we do not
        os.kill(os.getpid(), signal.SIGKILL)


def arm(state: Path, name: str, environment: str = "") -> None:
    """Arm one failpoint. Raises BadInput for a name no effect has."""
    from pipelines.model.steps import effects  # only tests arm: nobody else should load the table

    effect, _, moment = name.partition(":")
    if effect not in effects() or moment not in ("before", "after"):
        raise BadInput(
            f"failpoint {name!r} does not exist",
            hint=f"<effect>:before or <effect>:after, effects: {', '.join(effects())}",
        )
    temporary = state / f".{FILE}.new"
    temporary.write_text(f"{name}\n{environment}\n")
    temporary.replace(state / FILE)
