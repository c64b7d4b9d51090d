"""What `main` says of an environment, for processes that live for weeks as for those of a second."""

from __future__ import annotations

from collections.abc import Callable

from pipelines.model.environment import EnvironmentSettings
from pipelines.model.errors import Unavailable


class CurrentSettings:
    """Read on first need, and again on the first need after `reread`: in between they stay, so that a
    release sees the same from its guard to its confirmation."""

    def __init__(self, read: Callable[[], EnvironmentSettings]) -> None:
        self._read = read
        self._known: EnvironmentSettings | None = None
        self._due = True

    def __call__(self) -> EnvironmentSettings:
        """Raises what reading raises; while git is away, what was read last counts."""
        if self._due or self._known is None:
            self._known = self._newest()
            self._due = False
        return self._known

    def reread(self) -> None:
        """They may have been changed since."""
        self._due = True

    def _newest(self) -> EnvironmentSettings:
        try:
            return self._read()
        except Unavailable:
            if self._known is None:
                raise
            return self._known
