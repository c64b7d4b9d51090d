"""The images that are made here, kept beside the tools, and how an image gets into the cluster."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from tests.cluster import archives, layers, tools
from tests.cluster.errors import ClusterError, Missing
from tests.cluster.folder import Folder
from tests.cluster.versions import BASE_SUITE, BY_NAME

PAUSE = f"slipway.test/pause:{BY_NAME['pause'].version}"
COREDNS = f"slipway.test/coredns:{BY_NAME['coredns'].version}"
METRICS_SERVER = f"slipway.test/metrics-server:{BY_NAME['metrics-server'].version}"
BASE = f"slipway.test/base:{BASE_SUITE}"
BASE_PACKAGES = "python3,ca-certificates,git"  # git: Slipway runs it
NOBODY = "65534:65534"


@dataclass(frozen=True, slots=True)
class Image:
    """`archive`: a docker-archive, for `docker load` and for `image load`."""

    tag: str
    archive: Path


def _program(tag: str, part: str, user: str) -> Image:
    program = tools.build(part) / part
    archive = tools.root() / "images" / f"{BY_NAME[part].key}.tar"
    newer = archive.exists() and archive.stat().st_mtime >= program.stat().st_mtime
    if not newer:
        archive.parent.mkdir(parents=True, exist_ok=True)
        archives.of_program(archive, tag, program, user)
    return Image(tag, archive)


def pause() -> Image:
    """The first process of every pod."""
    return _program(PAUSE, "pause", NOBODY)


def coredns() -> Image:
    return _program(COREDNS, "coredns", "0:0")


def metrics_server() -> Image:
    return _program(METRICS_SERVER, "metrics-server", NOBODY)


def base_image() -> Image:
    """Debian with Python 3, certificates and git, as small as debootstrap makes it (two minutes, then
    cached under a name that follows from suite and packages).

    What images of this repository build on where there is no registry: `docker load` the archive and
    give the tag as BASE_IMAGE. Raises Missing without root, debootstrap or Debian's archive.
    """
    key = hashlib.sha256(f"{BASE_SUITE} {BASE_PACKAGES}".encode()).hexdigest()[:8]
    archive = tools.root() / "images" / f"base-{BASE_SUITE}-{key}.tar"
    if not archive.exists():
        archive.parent.mkdir(parents=True, exist_ok=True)
        _debootstrap(archive)
    return Image(BASE, archive)


def _debootstrap(archive: Path) -> None:
    program = shutil.which("debootstrap")
    if program is None:
        raise Missing("debootstrap was not found", "apt-get install debootstrap")
    with tempfile.TemporaryDirectory(dir=archive.parent) as folder:
        root = Path(folder) / "root"
        command = [
            program,
            "--variant=minbase",
            f"--include={BASE_PACKAGES}",
            BASE_SUITE,
            str(root),
        ]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode:
            raise Missing(
                f"debootstrap ended with {done.returncode}: {done.stdout[-800:]}",
                "is Debian's archive reachable, and are you root?",
            )
        for rest in ("var/cache/apt", "var/lib/apt/lists", "var/log"):
            shutil.rmtree(root / rest, ignore_errors=True)
            (root / rest).mkdir(parents=True)
        shutil.rmtree(root / "dev")
        (root / "dev").mkdir()
        archives.of_folder(archive, BASE, root, {"Cmd": ["/bin/bash"], "Env": ["LANG=C.UTF-8"]})


def load(folder: Folder, archive: Path) -> list[str]:
    """Import a docker- or OCI-archive into the cluster's containerd. Returns the images' names."""
    if not archive.is_file():
        raise Missing(
            f"there is no such file: {archive}", "save one with: docker save -o FILE IMAGE"
        )
    if not folder.containerd_socket.exists():
        raise ClusterError(f"no cluster in {folder.path}", "make cluster-up")
    snapshotter = layers.of_containerd(folder.path)
    command = ["ctr", "--address", str(folder.containerd_socket), "--namespace", "k8s.io"]
    done = subprocess.run(
        [*command, "images", "import", "--snapshotter", snapshotter, str(archive)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ClusterError(f"{archive} was not imported: {done.stderr.strip()}")
    return [line.split()[1] for line in done.stdout.splitlines() if line.startswith("unpacking")]
