"""The image of one more release, from one that `slipway image` made: only the application's own
package is exchanged, which takes seconds instead of a minute. For releases of equal packages."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

from tests.kubernetes.images import docker

DOCKERFILE = """
FROM {image}
USER 0:0
COPY exchange.py release.whl /exchange/
RUN python -I /exchange/exchange.py
LABEL dev.slipway.release="{release}"
USER 10001:10001
"""
EXCHANGE = """
import compileall, pathlib, shutil, sysconfig, zipfile
folder = pathlib.Path(sysconfig.get_paths()["purelib"])
shutil.rmtree(folder / "trading")
zipfile.ZipFile("/exchange/release.whl").extractall(folder)
compileall.compile_dir(folder / "trading", quiet=1)
"""


def derive(releases: Path, repository: str, first: str, release: str, archive: Path) -> None:
    """`repository:release` in the engine, and in `archive`. `releases`: the folder of all."""
    locks = [(releases / one / "requirements.lock").read_bytes() for one in (first, release)]
    assert locks[0] == locks[1], f"{release} needs other packages than {first}"
    (wheel,) = (releases / release).glob("*.whl")
    name = f"{repository}:{release}"
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        shutil.copyfile(wheel, folder / "release.whl")
        (folder / "exchange.py").write_text(EXCHANGE)
        text = DOCKERFILE.format(image=f"{repository}:{first}", release=release)
        (folder / "Dockerfile").write_text(text)
        docker("build", "--quiet", "--network", "none", "--tag", name, str(folder))
        docker("save", "--output", str(archive), name)
