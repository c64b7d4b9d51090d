"""The test cluster's commands. CLUSTER_DIR names its folder (usual: /tmp/slipway-cluster).

python -m tests.cluster up               build what is missing and start the cluster
python -m tests.cluster build [PART…]    only build: everything, Argo CD included, or what is named
python -m tests.cluster check            whether this machine can do all of this; else what is missing
python -m tests.cluster packages         the Debian packages that are not here, on one line
python -m tests.cluster status           what runs, by process id
python -m tests.cluster env              lines for a shell: eval "$(python -m tests.cluster env)"
python -m tests.cluster image load FILE  a docker-archive into the cluster's containerd
python -m tests.cluster docker up|down   a Docker Engine for building images; prints DOCKER_HOST
python -m tests.cluster registry up|down a container registry that the node knows too; prints its name
python -m tests.cluster argocd up|down   Argo CD beside the cluster; `up --lifted` without its limits
python -m tests.cluster down             end everything
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import signal
import sys
from pathlib import Path

from tests.cluster import (
    argocd,
    docker,
    images,
    lifecycle,
    machine,
    needs,
    registry,
    standing,
    tools,
)
from tests.cluster.errors import ClusterError
from tests.cluster.folder import Folder
from tests.cluster.versions import BY_NAME, DEBIAN


def _up(folder: Folder, _: argparse.Namespace) -> int:
    standing.up(folder)
    return 0


def _build(_: Folder, asked: argparse.Namespace) -> int:
    for part in asked.parts or BY_NAME:
        tools.build(part)
    if not asked.parts and os.geteuid() == 0 and shutil.which("debootstrap"):
        images.base_image()
    return 0


def _check(_: Folder, __: argparse.Namespace) -> int:
    machine.for_everything()
    return 0


def _part(name: str) -> str:
    if name not in BY_NAME:
        raise argparse.ArgumentTypeError(f"no such part: {name}; there are {', '.join(BY_NAME)}")
    return name


def _packages(_: Folder, __: argparse.Namespace) -> int:
    print(" ".join(needs.absent_packages({**DEBIAN, **docker.DEBIAN, **argocd.DEBIAN})))
    return 0


def _down(folder: Folder, _: argparse.Namespace) -> int:
    lifecycle.down(folder)
    return 0


def _status(folder: Folder, asked: argparse.Namespace) -> int:
    found = lifecycle.standing(folder)
    if asked.output == "json":
        print(json.dumps({"folder": str(folder.path), "processes": found}, indent=1))
    else:
        for name, pid in found.items():
            print(f"{name:24} {pid or 'not running'}")
    return 0 if all(found.values()) else 1


def _env(folder: Folder, _: argparse.Namespace) -> int:
    if folder.facts() is None:
        raise ClusterError(f"no cluster in {folder.path}", "make cluster-up")
    print(f"export KUBECONFIG={folder.kubeconfig}")
    print(f"export SLIPWAY_TEST_CLUSTER={folder.path}")
    print(f"export PATH={tools.path('$PATH')}")
    return 0


def _image(folder: Folder, asked: argparse.Namespace) -> int:
    for name in images.load(folder, asked.file):
        print(name)
    return 0


def _docker_up(folder: Folder, _: argparse.Namespace) -> int:
    print(f"export DOCKER_HOST={docker.up(folder)}")
    return 0


def _docker_down(folder: Folder, _: argparse.Namespace) -> int:
    docker.down(folder)
    return 0


def _registry_up(folder: Folder, _: argparse.Namespace) -> int:
    print(registry.up(folder))
    return 0


def _registry_down(folder: Folder, _: argparse.Namespace) -> int:
    registry.down(folder)
    return 0


def _argocd_up(folder: Folder, asked: argparse.Namespace) -> int:
    argocd.up(folder, argocd.LIFTED if asked.lifted else {})
    return 0


def _argocd_down(folder: Folder, _: argparse.Namespace) -> int:
    argocd.down(folder)
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m tests.cluster",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for name, action in {
        "up": _up,
        "down": _down,
        "env": _env,
        "packages": _packages,
        "check": _check,
    }.items():
        commands.add_parser(name).set_defaults(action=action)
    build = commands.add_parser("build")
    build.add_argument("parts", nargs="*", type=_part, metavar="PART")
    build.set_defaults(action=_build)
    status = commands.add_parser("status")
    status.add_argument("--output", choices=("text", "json"), default="text")
    status.set_defaults(action=_status)
    image = commands.add_parser("image").add_subparsers(required=True, metavar="COMMAND")
    load = image.add_parser("load", help="import a docker-archive into the cluster's containerd")
    load.add_argument("file", type=Path)
    load.set_defaults(action=_image)
    engine = commands.add_parser("docker").add_subparsers(required=True, metavar="COMMAND")
    for name, action in {"up": _docker_up, "down": _docker_down}.items():
        engine.add_parser(name).set_defaults(action=action)
    store = commands.add_parser("registry").add_subparsers(required=True, metavar="COMMAND")
    for name, action in {"up": _registry_up, "down": _registry_down}.items():
        store.add_parser(name).set_defaults(action=action)
    argo = commands.add_parser("argocd").add_subparsers(required=True, metavar="COMMAND")
    start = argo.add_parser("up", help="install and start Argo CD beside the cluster")
    start.add_argument(
        "--lifted", action="store_true", help="without its client limits and wave delay"
    )
    start.set_defaults(action=_argocd_up)
    argo.add_parser("down").set_defaults(action=_argocd_down)
    return parser


def _told(*_: object) -> None:
    """As Ctrl-C, so that half a build is taken away."""
    raise KeyboardInterrupt


def main() -> int:
    """Exit codes: 0 done; 1 it failed, or not everything runs; 2 something is missing here."""
    asked = _parser().parse_args()
    signal.signal(signal.SIGTERM, _told)
    try:
        return int(asked.action(Folder.chosen(), asked))
    except ClusterError as problem:
        print(f"Error: {problem.message}", file=sys.stderr)
        if problem.hint:
            print(f"  {problem.hint}", file=sys.stderr)
        return problem.code
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
