"""The installed engine: `<state>/engine/<id>`, made from the origin's `main`, never from a tree.

`engine/current` is a symbolic link that moves in one step. The id is a digest of what goes in, so
the same engine is installed once. Sources and lock stay beside it for a rebuild without network.
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import secrets
import shutil
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from pipelines.model import environment_yaml
from pipelines.model.environment import KUBERNETES
from pipelines.model.errors import BadInput, NeedsPerson
from pipelines.model.release import ENVIRONMENTS

NEEDED = ("pipelines", "policies", "pyproject.toml", "requirements.lock", "requirements-check.lock")
CLUSTER_LOCK = "requirements-kubernetes.lock"
"""All of requirements.lock and the extra `kubernetes`: installed where an environment on `main` has
`target: kubernetes`, and what checks render charts with in any case."""
PARTS = (*NEEDED, CLUSTER_LOCK, "README.md")
MARKER = "slipway-engine.json"
TIMEOUT_SECONDS = 600


@dataclass(frozen=True, slots=True)
class Engine:
    """`program` is the command `slipway` of this engine; `new`: it was installed just now."""

    id: str
    commit: str
    program: Path
    new: bool


class EngineInstall:
    """Installs engines under one state folder."""

    def __init__(self, state: Path) -> None:
        self.origin = state / "origin.git"
        self.folder = state / "engine"
        self.uv = Path(sys.prefix) / "bin" / "uv"

    def ensure(self) -> Engine:
        """The engine of the origin's `main`, installed and current. NeedsPerson when it fails."""
        commit = self._git("rev-parse", "refs/heads/main").decode().strip()
        identity = self._identity()
        home = self.folder / identity
        new = not (home / MARKER).exists() or not _runs(home)
        if new:
            self._install(home, commit)
        self._make_current(identity)
        return Engine(identity, commit, self.folder / "current" / "bin" / "slipway", new)

    def prune(self, keep: int = 3) -> list[str]:
        """Remove all but the newest engines and those that a process still runs from."""
        busy = {os.readlink(self.folder / "current"), *self._in_use()}
        homes = sorted(
            (p for p in self.folder.glob("e-*") if p.name not in busy),
            key=lambda path: path.stat().st_mtime, reverse=True,
        )  # fmt: skip
        for home in homes[keep - 1 :]:
            shutil.rmtree(home, ignore_errors=True)
        return [home.name for home in homes[keep - 1 :]]

    def _in_use(self) -> set[str]:
        """Engines that a supervisor or controller still runs from."""
        words = {
            word for one in psutil.process_iter(["cmdline"]) for word in one.info["cmdline"] or []
        }
        return {
            home.name for home in self.folder.glob("e-*")
            if any(word.startswith(f"{home}/") for word in words)
        }  # fmt: skip

    def _identity(self) -> str:
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        digest = hashlib.sha256(version.encode())
        for part in NEEDED:
            digest.update(self._git("rev-parse", f"refs/heads/main:{part}"))
        for part in self._on_main(CLUSTER_LOCK):
            digest.update(self._git("rev-parse", f"refs/heads/main:{part}"))
        if self.serves_a_cluster():
            digest.update(KUBERNETES.encode())
        return f"e-{digest.hexdigest()[:12]}"

    def serves_a_cluster(self) -> bool:
        """Whether an environment on `main` has `target: kubernetes`. A file that cannot be read asks
        for nothing: it is refused where it is used."""
        files = [f"environments/{name}/environment.yaml" for name in ENVIRONMENTS]
        for name, file in zip(ENVIRONMENTS, files, strict=True):
            if not self._on_main(file):
                continue
            text = self._git("cat-file", "blob", f"refs/heads/main:{file}")
            try:
                settings = environment_yaml.parse(text.decode("utf-8", "replace"), name, file)
            except BadInput:
                continue
            if settings.target == KUBERNETES:
                return True
        return False

    def _on_main(self, path: str) -> list[str]:
        return self._git("ls-tree", "--name-only", "refs/heads/main", path).decode().split()

    def _install(self, home: Path, commit: str) -> None:
        shutil.rmtree(home, ignore_errors=True)
        source = home / "source"
        source.mkdir(parents=True)
        names = self._git("ls-tree", "--name-only", "refs/heads/main").decode().split()
        wanted = [part for part in PARTS if part in names]
        with tarfile.open(
            fileobj=io.BytesIO(self._git("archive", "refs/heads/main", *wanted))
        ) as archive:
            if hasattr(tarfile, "data_filter"):  # not before Python 3.11.4
                archive.extraction_filter = tarfile.data_filter
            archive.extractall(source)  # noqa: S202 - made by git from the origin's own tree
        python = str(home / "bin" / "python")
        lock = str(source / (CLUSTER_LOCK if self.serves_a_cluster() else "requirements.lock"))
        self._uv("venv", "--quiet", "--allow-existing", "--python", sys.executable, str(home))
        self._pip(python, "--compile-bytecode", "--require-hashes", "-r", lock)
        self._pip(python, "--compile-bytecode", "--no-deps", str(source))
        facts = {"id": home.name, "commit": commit, "python": sys.version.split()[0]}
        (home / MARKER).write_text(json.dumps(facts) + "\n")

    def _make_current(self, identity: str) -> None:
        link = self.folder / "current"
        if link.is_symlink() and os.readlink(link) == identity:
            return
        temporary = self.folder / f".current.{secrets.token_hex(4)}"
        temporary.symlink_to(identity)
        temporary.replace(link)

    def _pip(self, python: str, *arguments: str) -> None:
        """From the package cache alone if that suffices: quick, and works without network."""
        words = ("pip", "install", "--quiet", "--python", python, *arguments)
        try:
            self._uv(*words, "--offline")
        except NeedsPerson:
            self._uv(*words)

    def _uv(self, *arguments: str) -> bytes:
        return _run([str(self.uv), *arguments], "installing the engine")

    def _git(self, *arguments: str) -> bytes:
        return _run(["git", f"--git-dir={self.origin}", *arguments], "reading the origin")


def _runs(home: Path) -> bool:
    """A disk error or an upgrade of the system's Python breaks a virtual environment."""
    try:
        return (
            subprocess.run(
                [home / "bin" / "python", "-c", "import pipelines.cli.commands"],
                capture_output=True, timeout=30, check=False, cwd="/",
            ).returncode
            == 0
        )  # fmt: skip
    except OSError:
        return False


def _run(argv: Sequence[str], what: str) -> bytes:
    try:
        done = subprocess.run(argv, capture_output=True, timeout=TIMEOUT_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise NeedsPerson(f"{what} failed: {error}", hint="slipway doctor") from error
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip().splitlines()
        raise NeedsPerson(
            f"{what} failed: {' '.join(words[-3:])[:500]}",
            hint="without network the package cache must hold every package; else: slipway doctor",
        )
    return done.stdout
