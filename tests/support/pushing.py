"""A checkout and an origin with its real hooks, judged by the engine these tests run from."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.adapters.git_origin_setup import init_origin
from pipelines.adapters.sqlite import open_jobs
from pipelines.records.jobs import Jobs
from pipelines.targets.local.layout import Installation
from tests.support.tiny_application import TinyApplication, git


@dataclass(frozen=True, slots=True)
class Pushed:
    """What `git push` said, and how long it took."""

    code: int
    words: str
    seconds: float

    @property
    def taken(self) -> bool:
        return self.code == 0


class Place:
    """`app` is the checkout, `bare` the origin that `slipway up` would make."""

    def __init__(self, folder: Path) -> None:
        self.app = TinyApplication(folder / "checkout")
        self.state = folder / "state"
        self.bare = self.state / "origin.git"
        init_origin(self.state, self.app.folder)
        Installation.create(self.state, self.app.folder, None)
        (self.state / "engine").mkdir()
        (self.state / "engine" / "current").symlink_to(sys.prefix)

    @property
    def jobs(self) -> Jobs:
        return open_jobs(self.state)

    def push(self, *refspecs: str, options: Sequence[str] = ()) -> Pushed:
        argv = ["git", "-C", str(self.app.folder), "push", *options, "slipway", *refspecs]
        began = time.monotonic()
        done = subprocess.run(
            argv, env={**os.environ, "SLIPWAY_ACTOR": "Ada"}, capture_output=True, text=True,
            check=False,
        )  # fmt: skip
        return Pushed(done.returncode, done.stderr, time.monotonic() - began)

    def at(self, branch: str) -> str:
        """Commit of a branch in the origin, empty when there is none."""
        return git(self.bare, "for-each-ref", "--format=%(objectname)", f"refs/heads/{branch}")
