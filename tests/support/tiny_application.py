"""A git checkout with the smallest application that can be built as a release."""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path

from pipelines.adapters.uv import Uv

_PYPROJECT = """
[project]
name = "{name}"
version = "0.1.0"
requires-python = ">=3.11"

[build-system]
requires = ["uv_build>=0.9,<0.20"]
build-backend = "uv_build"

[tool.uv.build-backend]
module-root = ""
"""

_SLIPWAY = """
name: tiny
module: tiny
processes:
  api: {args: [serve], sockets: [live, slot]}
commands:
  validate: [validate]
"""

ENVIRONMENT = """
target: local
soak_seconds: 30
rollback_window_hours: 1
reason_required: false
"""


class TinyApplication:
    """`folder` is a checkout with one commit; change it with `write` and `commit`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")
        self.write("app/pyproject.toml", _PYPROJECT.format(name="tiny"))
        self.write("app/slipway.yaml", _SLIPWAY)
        self.write("app/requirements.lock", "")
        self.write("app/tiny/__init__.py", "")
        self.write("app/tiny/__main__.py", "print('one')\n")
        self.write("app/tiny/migrations/versions/0001_first.py", "revision = 'a1'\n")
        self.write("environments/base/values.yaml", "tiny:\n  speed: 1\n")
        self.write("environments/dev/values.yaml", "tiny:\n  speed: 2\n")
        for name in ("dev", "staging", "production"):
            self.write(f"environments/{name}/environment.yaml", ENVIRONMENT)
        self.head = self.commit("First commit")

    def write(self, path: str, text: str) -> None:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)

    def commit(self, subject: str) -> str:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "-m", subject)
        self.head = self.git("rev-parse", "HEAD")
        return self.head

    def git(self, *arguments: str) -> str:
        return git(self.folder, *arguments)

    def depend_on_a_package(self, where: Path) -> None:
        """A real dependency with its hash in the lock, from a wheel on this disk: no network."""
        package = where / "leaf"
        (package / "leaf").mkdir(parents=True)
        (package / "pyproject.toml").write_text(_PYPROJECT.format(name="leaf"))
        (package / "leaf" / "__init__.py").write_text("value = 7\n")
        wheel = Uv().build_wheel(package, where / "wheels")
        digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
        self.write("app/requirements.lock", f"leaf @ {wheel.as_uri()} --hash=sha256:{digest}\n")
        self.commit("Depend on leaf")


def git(folder: Path, *arguments: str) -> str:
    identity = {
        "GIT_AUTHOR_NAME": "Ada",
        "GIT_AUTHOR_EMAIL": "ada@example.org",
        "GIT_COMMITTER_NAME": "Ada",
        "GIT_COMMITTER_EMAIL": "ada@example.org",
    }
    done = subprocess.run(
        ["git", "-C", str(folder), *arguments],
        env={**os.environ, **identity},
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()
