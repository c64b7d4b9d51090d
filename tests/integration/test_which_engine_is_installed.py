"""The installed engine carries what a cluster needs exactly where an environment is on one."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.adapters.engine_install import CLUSTER_LOCK, EngineInstall
from pipelines.adapters.git_origin_setup import init_origin
from tests.support.tiny_application import ENVIRONMENT, TinyApplication

CLUSTER = ENVIRONMENT.replace("local", "kubernetes") + "kubernetes: {namespace: x, image: y}\n"


class Place:
    """An origin whose `main` has what an engine is made from."""

    def __init__(self, folder: Path) -> None:
        self.app = TinyApplication(folder / "checkout")
        for part in ("pipelines/a", "policies/a", "pyproject.toml", "requirements.lock"):
            self.app.write(part, "")
        self.app.write("requirements-check.lock", "")
        self.state = folder / "state"
        self.commit()

    def commit(self) -> None:
        self.app.commit("Change")
        init_origin(self.state, self.app.folder)
        self.install = EngineInstall(self.state)

    def identity(self) -> str:
        return self.install._identity()


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_on_one_machine_nothing_for_a_cluster_is_installed(place: Place) -> None:
    assert not place.install.serves_a_cluster()


def test_a_target_on_a_cluster_makes_another_engine(place: Place) -> None:
    before = place.identity()
    place.app.write("environments/staging/environment.yaml", CLUSTER)
    place.commit()
    assert place.install.serves_a_cluster()
    assert place.identity() != before


def test_what_renders_charts_belongs_to_the_engine(place: Place) -> None:
    before = place.identity()
    place.app.write(CLUSTER_LOCK, "a==1\n")
    place.commit()
    assert place.identity() != before


def test_settings_that_cannot_be_read_ask_for_nothing(place: Place) -> None:
    place.app.write("environments/dev/environment.yaml", "target: [\n")
    place.commit()
    assert not place.install.serves_a_cluster()
