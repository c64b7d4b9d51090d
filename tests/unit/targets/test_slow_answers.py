"""An application that does not answer in time is named with the time it had."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from pipelines.model.errors import Unavailable
from pipelines.model.release import Release
from pipelines.targets.asking import AsksApplication
from pipelines.targets.local.ports import CommandResult

RELEASE = cast(Release, SimpleNamespace(application=SimpleNamespace(offers=lambda command: True)))


class Silent(AsksApplication):
    """`asked` are the limits of its commands."""

    status_seconds = 7.0

    def __init__(self) -> None:
        self.asked: list[float] = []

    def _run(self, *words: Any) -> CommandResult:
        self.asked.append(words[-1])
        return CommandResult(None, None, "")


def test_migrations_that_are_not_said_in_time_are_told_with_the_limit() -> None:
    target = Silent()
    with pytest.raises(Unavailable, match="did not say its migrations within 7 s"):
        target.migration_status(RELEASE)
    assert target.asked == [7.0]
