"""What a test of releases by Argo CD does and asks: promote, tell Argo CD, see what came of it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.harness.installation import Answer, git
from tests.kubernetes.applications import Applications
from tests.kubernetes.town import ENVIRONMENT, Town

RELEASE_SECONDS = 300
TRACKING = "argocd.argoproj.io/tracking-id"
BOOTSTRAP = """
import sys
from pathlib import Path
from pipelines import wiring
from pipelines.flows.up import bring_up_one
context = wiring.open_context(Path(sys.argv[1]), "dev", actor="a test")
bring_up_one(context, context.store.get(sys.argv[2]), lambda name: None)
"""
"""`slipway up` of one environment; that this machine's other two come up is tested elsewhere."""


@dataclass
class Job:
    town: Town
    apps: Applications

    # --- going forward ---------------------------------------------------------------------------
    def bootstrap(self, name: str) -> None:
        release = self.town.releases[name]
        words = [sys.executable, "-c", BOOTSTRAP, str(self.town.slipway.state), release]
        process = subprocess.Popen(
            words,
            cwd=self.town.slipway.checkout,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.tell_of_next("", process)
        said, _ = process.communicate(timeout=RELEASE_SECONDS)
        assert process.returncode == 0, said

    def promote(self, name: str) -> Answer:
        """As a person does it; Argo CD hears of the commit as from a webhook."""
        return self.command("promote", ENVIRONMENT, self.town.releases[name])

    def command(self, *words: str) -> Answer:
        """One that ends when Argo CD did what the branch says."""
        before, began = self.town.head(), time.monotonic()
        process = self.town.slipway.start(*words, "--reason", "a test")
        self.tell_of_next(before, process)
        out, err = process.communicate(timeout=RELEASE_SECONDS)
        seconds = time.monotonic() - began
        return Answer(words, process.returncode, _json(out), out, err, seconds)

    def tell_of_next(self, before: str, process: subprocess.Popen[str]) -> None:
        """Argo CD is told of the next commit on the branch, once the command made it."""
        self.town.cluster.until(
            "the branch moves",
            lambda: self._head() not in ("", before) or process.poll() is not None,
            seconds=180,
        )
        self.apps.look()

    def _head(self) -> str:
        try:
            return self.town.head()
        except subprocess.CalledProcessError:
            return ""

    def settle(self) -> dict[str, Any]:
        """Until Argo CD did what the branch says now; its last operation."""
        self.apps.look()
        self.apps.wait(self.town.head(), RELEASE_SECONDS)
        return self.apps.operation()

    # --- what it came to -------------------------------------------------------------------------
    def row(self) -> dict[str, Any]:
        (row,) = self.town.query("select * from slipway.active")
        return row

    def active(self) -> tuple[str, str, str]:
        """Release by the row, slot by the row, slot by the Service: names as given to `build`."""
        row = self.row()
        return self.name_of(row["release"]), str(row["slot"]), self.town.active_slot()

    def name_of(self, release: str) -> str:
        names = {value: key for key, value in self.town.releases.items()}
        return names.get(release, release)

    def branch(self) -> dict[str, Any]:
        return dict(yaml.safe_load(self.town.file("release.yaml")))

    def held(self) -> list[str]:
        return [self.name_of(hold["release"]) for hold in self.branch().get("holds") or []]

    def named(self) -> str:
        """The release that the branch says shall run."""
        branch = self.branch()
        return self.name_of(branch["slots"][branch["active"]]["release"])

    def hooks(self) -> list[tuple[str, str, str]]:
        """Every hook that ran: release, step, how it ended; oldest first."""
        rows = self.town.query("select release, step, status from slipway.hooks order by at")
        return [(self.name_of(row["release"]), row["step"], row["status"]) for row in rows]

    def pods(self) -> set[str]:
        """Names of the pods that hooks ran in."""
        found = self.town.get("pods", "-l", "app.kubernetes.io/component=hook")
        return {pod["metadata"]["name"] for pod in found["items"]}

    def unwanted(self) -> set[str]:
        """Objects of the slots that Argo CD tracks and the branch does not name."""
        kinds = "deployments,configmaps,serviceaccounts,roles,rolebindings,jobs"
        paths = self.town.git("ls-tree", "-r", "--name-only", f"env/{ENVIRONMENT}", "slots/")
        wanted = {
            (one["kind"], one["metadata"]["name"])
            for path in paths.splitlines()
            for one in yaml.safe_load_all(self.town.file(path))
            if one
        }
        return {
            f"{one['kind']} {one['metadata']['name']}"
            for one in self.town.get(kinds)["items"]
            if TRACKING in (one["metadata"].get("annotations") or {})
            and "argocd.argoproj.io/hook" not in one["metadata"]["annotations"]
            and (one["kind"], one["metadata"]["name"]) not in wanted
        }

    def go_back_in_git(self, name: str, folder: Path) -> None:
        """As a person: `git revert` of the promotions since this release ran, and a push."""
        branch = f"env/{ENVIRONMENT}"
        git(
            folder.parent,
            "clone",
            "--quiet",
            "--branch",
            branch,
            str(self.town.origin),
            str(folder),
        )
        lines = git(folder, "log", "--format=%H %s").splitlines()
        (then,) = [
            line.split()[0]
            for line in lines
            if line.split(maxsplit=1)[1].startswith(f"Promote {self.town.releases[name]} ")
        ]
        git(folder, "revert", "--no-commit", f"{then}..HEAD")
        git(folder, "commit", "--quiet", "--message", "Revert to the first release")
        git(folder, "push", "--quiet", "origin", branch)

    @contextmanager
    def observer(self) -> Iterator[None]:
        """`slipway controller dev`, which goes nowhere by itself here: Argo CD does."""
        log = self.town.folder / "controller.log"
        with log.open("a") as file:
            process = subprocess.Popen(
                [*self.town.slipway.command, "controller", ENVIRONMENT],
                cwd=self.town.slipway.checkout,
                env=self.town.slipway.variables(),
                stdout=file,
                stderr=subprocess.STDOUT,
            )
            try:
                yield
            finally:
                process.terminate()
                try:
                    process.wait(timeout=15)
                except subprocess.TimeoutExpired:
                    process.kill()


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None
