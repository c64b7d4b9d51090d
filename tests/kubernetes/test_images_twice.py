"""The same commit makes the same image, by an engine that has never seen it, in another folder."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests.kubernetes import images
from tests.kubernetes.image_fixtures import APPLICATION, ENGINE
from tests.kubernetes.image_shelf import Built
from tests.kubernetes.images import Workshop


@pytest.fixture(scope="module")
def elsewhere(
    workshop: Workshop,
    built_application: Built,
    built_engine: Built,
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[tuple[Workshop, str]]:
    """Workshop and base image of another engine."""
    other = Workshop(tmp_path_factory.mktemp("twice") / "a" / "longer" / "way")
    other.folder.mkdir(parents=True)
    subprocess.run(["git", "clone", "-q", str(workshop.clone), str(other.clone)], check=True)
    with pytest.MonkeyPatch.context() as patched:
        patched.delenv("DOCKER_HOST")
        with images.docker_engine():
            yield other, images.base()


def test_the_application(built_application: Built, elsewhere: tuple[Workshop, str]) -> None:
    other, base = elsewhere
    again, archive = other.image(base, APPLICATION)
    assert again == built_application[0]
    assert archive.read_bytes() == built_application[1].read_bytes()


def test_the_engine(built_engine: Built, elsewhere: tuple[Workshop, str]) -> None:
    other, base = elsewhere
    again, archive = other.engine_image(base, ENGINE)
    assert again == built_engine[0]
    assert archive.read_bytes() == built_engine[1].read_bytes()
