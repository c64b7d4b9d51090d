"""Building an image: a context with everything in it, a build without a network, equal bytes."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pipelines.adapters.git_command import Git
from pipelines.adapters.git_origin_setup import head_of
from pipelines.adapters.images import archive, wheelhouse
from pipelines.adapters.images.docker import Docker
from pipelines.adapters.release_folder import ReleaseFolder
from pipelines.adapters.tree_export import Trees
from pipelines.adapters.uv import Uv
from pipelines.model.errors import BadInput
from pipelines.model.image import DOCKERFILE, BuiltImage
from pipelines.model.release import Release

Say = Callable[[str, str], None]
"""Told the step and what it does, when it begins."""

_ENGINE_LOCK = "requirements-image.lock"
_ENGINE_PARTS = ("Dockerfile", "README.md", "pipelines", "policies", "pyproject.toml", _ENGINE_LOCK)


@dataclass(frozen=True, slots=True)
class Recipe:
    """`name` with its tag; `arguments` of the Dockerfile; `lock_name` as people call the lock."""

    name: str
    dockerfile: Path
    lock: Path
    lock_name: str
    wheel: Path
    arguments: Mapping[str, str]


class ImageBuilder:
    """Images of releases under `state`, and of the engine in `checkout`."""

    def __init__(self, state: Path, checkout: Path) -> None:
        self._releases = state / "releases"
        self._checkout = checkout
        self._docker = Docker()

    def application(
        self, release: Release, repository: str, base: str, file: Path | None, say: Say
    ) -> BuiltImage:
        """Of a release that was built; its tag is the release's id. `file` None: kept nowhere but in
        the engine. Raises BadInput, Unavailable."""
        folder = self._releases / release.id
        # A release built before there was a Dockerfile in it takes the checkout's.
        candidates = (folder / "source" / DOCKERFILE, self._checkout / DOCKERFILE)
        dockerfile = next((path for path in candidates if path.is_file()), None)
        if dockerfile is None:
            raise BadInput(
                f"release {release.id} has no {DOCKERFILE}, so it cannot become an image",
                hint="add one, as in docs/app-contract.md, then slipway build",
            )
        recipe = Recipe(
            name=f"{repository}:{release.id}",
            dockerfile=dockerfile,
            lock=folder / "requirements.lock",
            lock_name="app/requirements.lock",
            wheel=folder / release.wheel,
            arguments={
                "RELEASE": release.id,
                "VERSION": self._number(release),
                "REVISION": release.source_commit,
            },
        )
        return self._build(recipe, base, file, say)

    def engine(self, repository: str, base: str, file: Path | None, say: Say) -> BuiltImage:
        """Of HEAD of the checkout, for controller and hooks; its tag is the engine's version."""
        git = Git(self._checkout, isolated=False)
        commit = head_of(git)
        with tempfile.TemporaryDirectory(prefix="slipway-image-") as folder:
            say("engine", f"wheel of {commit[:12]}")
            tree = Trees(Path(folder) / "trees", _ENGINE_PARTS).export(git, commit, strict=False)
            wheel = Uv().build_wheel(tree.folder, Path(folder) / "wheel")
            version = wheel.name.split("-")[1]
            recipe = Recipe(
                name=f"{repository}:{version}",
                dockerfile=tree.folder / "Dockerfile",
                lock=tree.folder / _ENGINE_LOCK,
                lock_name=_ENGINE_LOCK,
                wheel=wheel,
                arguments={"VERSION": version, "REVISION": commit},
            )
            return self._build(recipe, base, file, say)

    def push(self, image: BuiltImage) -> str:
        """Returns the digest that the registry knows it by. Raises Unavailable."""
        return self._docker.push(image.name)

    def _number(self, release: Release) -> str:
        """Not its alias: that is given later, and the image stays what it is."""
        numbers = {known.id: known.version for known in ReleaseFolder(self._releases).numbered()}
        return numbers.get(release.id, release.version)

    def _build(self, recipe: Recipe, base: str, file: Path | None, say: Say) -> BuiltImage:
        temporary = f"slipway-making:{os.getpid()}"
        with tempfile.TemporaryDirectory(prefix="slipway-image-") as made:
            context = Path(made) / "context"
            context.mkdir()
            say("base", base)
            python = self._docker.python_of(base)
            say("wheels", f"of {recipe.lock_name}, for Python 3.{python.minor} on {python.machine}")
            wheelhouse.fill(recipe.lock, context, python, name=recipe.lock_name)
            _add_release(context, recipe)
            say("build", "without a network")
            target = file or Path(made) / "image.tar"
            arguments = {**recipe.arguments, "BASE_IMAGE": base, "MAKING": temporary}
            with self._temporary(context, temporary, arguments):
                say("rewrite", "sorted, without times")
                self._docker.save(temporary, Path(made) / "saved.tar")
                layers = self._docker.layers_of(base)
                target.parent.mkdir(parents=True, exist_ok=True)
                saved = Path(made) / "saved.tar"
                digest, size = archive.rewrite(saved, target, recipe.name, layers)
            self._docker.load(target)
        return BuiltImage(recipe.name, digest, base, size)

    @contextmanager
    def _temporary(self, context: Path, tag: str, arguments: Mapping[str, str]) -> Iterator[None]:
        self._docker.build(context, tag, arguments)
        try:
            yield
        finally:
            self._docker.forget(tag)


def _add_release(context: Path, recipe: Recipe) -> None:
    (context / "release").mkdir()
    shutil.copyfile(recipe.dockerfile, context / "Dockerfile")
    shutil.copyfile(recipe.wheel, context / "release" / recipe.wheel.name)
    # Modes reach into the image by COPY; the umask of whoever builds must not.
    for path in context.rglob("*"):
        path.chmod(0o755 if path.is_dir() else 0o644)
