"""Images for the whole suite: one Docker Engine, and each image built once in a session.

`…_image` are tags that are present on the node as well; without the parts of an engine (docs of the
test cluster) every test that asks for one is skipped with what is missing.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator

import pytest

from tests.cluster.errors import Missing
from tests.cluster.standing import Standing
from tests.kubernetes import images
from tests.kubernetes.derived_image import derive
from tests.kubernetes.image_shelf import Built
from tests.kubernetes.images import Workshop

APPLICATION = "slipway.test/trading"
ENGINE = "slipway.test/engine"


@pytest.fixture(scope="session")
def docker_host() -> Iterator[None]:
    """DOCKER_HOST names an engine until the session ends."""
    try:
        with images.docker_engine():
            yield
    except Missing as missing:
        pytest.skip(f"{missing}: {missing.hint}")


@pytest.fixture(scope="session")
def engine_base(docker_host: None) -> str:
    """Debian with Python and git in the Docker Engine."""
    try:
        return images.base()
    except Missing as missing:
        pytest.skip(f"{missing}: {missing.hint}")


@pytest.fixture(scope="session")
def workshop(tmp_path_factory: pytest.TempPathFactory) -> Workshop:
    """A clone of HEAD with its release."""
    return Workshop(tmp_path_factory.mktemp("workshop"))


@pytest.fixture(scope="session")
def built_application(workshop: Workshop, engine_base: str) -> Built:
    """Of HEAD's release, in the Docker Engine."""
    return workshop.image(engine_base, APPLICATION)


@pytest.fixture(scope="session")
def built_engine(workshop: Workshop, engine_base: str) -> Built:
    """Slipway of HEAD, in the Docker Engine."""
    return workshop.engine_image(engine_base, ENGINE)


@pytest.fixture(scope="session")
def application_image(built_application: Built, real_cluster: Standing) -> str:
    real_cluster.load(built_application[1])
    return built_application[0].name


@pytest.fixture(scope="session")
def second_app_image(workshop: Workshop, built_application: Built, real_cluster: Standing) -> str:
    """Of a release that differs from HEAD's in one file; its packages are the same."""
    first = workshop.release()
    other = Workshop(workshop.folder / "second", shared_state=workshop.state)
    other.folder.mkdir()
    subprocess.run(["git", "clone", "-q", str(workshop.clone), str(other.clone)], check=True)
    package = other.clone / "app" / "trading" / "__init__.py"
    package.write_text(package.read_text() + "\n# Another release.\n")
    who = ["-c", "user.name=Test", "-c", "user.email=test@example.org"]
    commit = ["commit", "-qam", "Make another release"]
    subprocess.run(["git", "-C", str(other.clone), *who, *commit], check=True)
    second = other.release()
    assert second.id != first.id
    archive = other.folder / "image.tar"
    derive(workshop.state / "releases", APPLICATION, first.id, second.id, archive)
    real_cluster.load(archive)
    return f"{APPLICATION}:{second.id}"


@pytest.fixture(scope="session")
def engine_image(built_engine: Built, real_cluster: Standing) -> str:
    real_cluster.load(built_engine[1])
    return built_engine[0].name


@pytest.fixture(scope="session")
def database_image(engine_base: str, real_cluster: Standing) -> str:
    """PostgreSQL for the chart `database`."""
    return images.bring_database_image(engine_base, real_cluster.load)
