"""A controller lives for weeks: what `main` says by the next release counts for it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pipelines.model import environment_yaml
from pipelines.model.environment import EnvironmentSettings
from pipelines.model.errors import BadInput, SlipwayError, Unavailable
from pipelines.wiring_settings import CurrentSettings

TEXT = "target: local\nsoak_seconds: 1\nrollback_window_hours: 1\nreason_required: false\n"
FIRST = environment_yaml.parse(TEXT, "dev", "environment.yaml")
SECOND = replace(FIRST, soak_seconds=30.0)


class Main:
    """`main`, or the trouble with reading it."""

    def __init__(self) -> None:
        self.says: EnvironmentSettings | SlipwayError = FIRST
        self.asked = 0

    def __call__(self) -> EnvironmentSettings:
        self.asked += 1
        if isinstance(self.says, SlipwayError):
            raise self.says
        return self.says


@pytest.fixture
def main() -> Main:
    return Main()


def test_they_are_read_on_first_need_and_stay_for_a_release(main: Main) -> None:
    settings = CurrentSettings(main)
    assert main.asked == 0
    assert settings() == FIRST
    main.says = SECOND
    assert settings() == FIRST
    assert main.asked == 1


def test_the_next_look_sees_what_main_says_by_then(main: Main) -> None:
    settings = CurrentSettings(main)
    settings()
    main.says = SECOND
    settings.reread()
    assert settings() == SECOND


def test_while_git_is_away_what_was_read_last_counts(main: Main) -> None:
    settings = CurrentSettings(main)
    settings()
    main.says = Unavailable("the origin cannot be read")
    settings.reread()
    assert settings() == FIRST
    main.says = SECOND
    settings.reread()
    assert settings() == SECOND


def test_nothing_is_made_up_where_git_was_never_there(main: Main) -> None:
    main.says = Unavailable("the origin cannot be read")
    with pytest.raises(Unavailable):
        CurrentSettings(main)()


def test_settings_that_are_wrong_by_now_are_not_replaced_by_those_before(main: Main) -> None:
    settings = CurrentSettings(main)
    settings()
    main.says = BadInput("soak_seconds is -1")
    settings.reread()
    for _ in range(2):
        with pytest.raises(BadInput):
            settings()
