"""An application that knows nothing of trading, released and rolled back by the same commands."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.fixtures import another
from tests.harness.installation import REPOSITORY, Installation

SECOND_APP = REPOSITORY / "tests" / "second_app"
MOST_LINES = 60


def only_the_second_app(checkout: Path) -> None:
    """The checkout's app/ becomes the second application; the engine stays as it is."""
    shutil.rmtree(checkout / "app")
    shutil.copytree(SECOND_APP, checkout / "app")


def another_answer(checkout: Path) -> None:
    (module,) = [p for p in (checkout / "app").rglob("__init__.py")]
    module.write_text(f"{module.read_text()}\nANOTHER = True\n")


@pytest.fixture(scope="module")
def second(installation: Installation) -> Iterator[Installation]:
    with another(installation, edit=only_the_second_app) as made:
        yield made


def test_the_second_application_is_no_longer_than_it_claims() -> None:
    lines = [line for p in SECOND_APP.rglob("*.py") for line in p.read_text().splitlines()]
    assert sum(1 for line in lines if line.strip()) <= MOST_LINES


def test_the_second_application_is_released_and_rolled_back(second: Installation) -> None:
    agreement = second.agreement("dev")
    agreement.wait(15)
    first = agreement.row()["release"]
    release = second.release(another_answer, "Another answer")
    answer = second.promote("dev", release)
    assert answer.code == 0, str(answer)
    agreement.wait(15, release=release)
    back = second.run("rollback", "dev", "--reason", "the first was better")
    assert back.code == 0, str(back)
    agreement.wait(15, release=first)
