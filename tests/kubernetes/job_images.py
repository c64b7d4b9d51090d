"""Images of several releases, each on top of one that was made whole: they differ in a few files.

All of them come to the node in one archive, whose layers they share.
"""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pipelines.model.release import Release
from tests.cluster.standing import Standing
from tests.kubernetes.derived_image import DOCKERFILE, EXCHANGE
from tests.kubernetes.images import docker


def bring(cluster: Standing, state: Path, releases: Sequence[Release], whole: str) -> None:
    """Each as `<repository>:<release>` on the node. `whole` is an image of equal packages, in the
    Docker Engine."""
    repository, _, _ = whole.rpartition(":")
    names = [f"{repository}:{release.id}" for release in releases]
    with tempfile.TemporaryDirectory(prefix="slipway-images-") as made:
        for release, name in zip(releases, names, strict=True):
            _on_top(Path(made) / release.id, state, release, whole, name)
        archive = Path(made) / "all.tar"
        docker("save", "--output", str(archive), *names)
        cluster.load(archive)


def _on_top(context: Path, state: Path, release: Release, whole: str, name: str) -> None:
    context.mkdir()
    shutil.copyfile(state / "releases" / release.id / release.wheel, context / "release.whl")
    (context / "exchange.py").write_text(EXCHANGE)
    (context / "Dockerfile").write_text(DOCKERFILE.format(image=whole, release=release.id))
    docker("build", "--quiet", "--network", "none", "--tag", name, str(context))
