"""The images of a job of several releases: one from the application's Dockerfile, the others on it.

A release that differs in a few files takes seconds that way. All of them come to the node in one
archive, whose layers they share.
"""

from __future__ import annotations

import importlib.metadata
import subprocess
import tempfile
import zipfile
from collections.abc import Sequence
from pathlib import Path

from pipelines.adapters.images.builder import ImageBuilder
from pipelines.model.release import Release
from tests.cluster.standing import Standing
from tests.kubernetes.images import DATABASE, REPOSITORY, docker, make_database_image

APPLICATION = "slipway.test/trading"
ENGINE = "slipway.test/engine"

# Its bytecode says that it is never compared with the source: what is there goes first.
_OTHER = """
ARG FIRST
FROM ${FIRST}
USER 0:0
RUN rm -rf PACKAGE/*
COPY release /tmp/release
RUN cp -r /tmp/release/. PACKAGE/ && rm -rf /tmp/release && python -m compileall -q PACKAGE
USER 10001:10001
""".replace("PACKAGE", "/opt/app/lib/python3.*/site-packages/trading")


def _say(step: str, words: str) -> None:
    """Builders tell how far they are; a test has nobody to tell."""


def make(
    cluster: Standing,
    state: Path,
    checkout: Path,
    base: str,
    releases: Sequence[Release],
    tag: str,
) -> None:
    """Images of all releases, the engine of the checkout under `tag`, and the database, on the node."""
    builder = ImageBuilder(state, checkout)
    first, *others = releases
    builder.application(first, APPLICATION, base, None, _say)
    for release in others:
        _on_top(state, release, f"{APPLICATION}:{first.id}")
    _engine(builder, base, tag)
    make_database_image(base)
    names = [f"{APPLICATION}:{release.id}" for release in releases]
    _load(cluster, [*names, f"{ENGINE}:{tag}", DATABASE])


def _on_top(state: Path, release: Release, first: str) -> None:
    with tempfile.TemporaryDirectory() as folder:
        context = Path(folder)
        with zipfile.ZipFile(state / "releases" / release.id / release.wheel) as wheel:
            own = [name for name in wheel.namelist() if name.startswith("trading/")]
            wheel.extractall(context, own)
        (context / "trading").rename(context / "release")
        (context / "Dockerfile").write_text(_OTHER)
        _build(context, f"{APPLICATION}:{release.id}", f"FIRST={first}")


def engine_tag() -> str:
    """Version and commit: one that is never moved."""
    said = subprocess.run(
        ["git", "-C", REPOSITORY, "rev-parse", "--short=12", "HEAD"],
        capture_output=True,
        text=True,
        check=True,
    )
    return f"{importlib.metadata.version('slipway')}-{said.stdout.strip()}"


def _engine(builder: ImageBuilder, base: str, tag: str) -> None:
    name = f"{ENGINE}:{tag}"
    if docker("images", "--quiet", name):
        return
    built = builder.engine(ENGINE, base, None, _say)
    docker("tag", built.name, name)


def _build(context: Path, name: str, argument: str) -> None:
    words = ("build", "--quiet", "--network", "none", "--build-arg", argument, "--tag", name)
    docker(*words, str(context))


def _load(cluster: Standing, names: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "all.tar"
        docker("save", "--output", str(archive), *names)
        cluster.load(archive)
