"""What a test of releases by Argo CD does and asks: promote, tell Argo CD, see what came of it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import yaml

from tests.harness.installation import Answer, git
from tests.kubernetes.applications import Applications
from tests.kubernetes.end_state import HOOK, TRACKING, kind, title
from tests.kubernetes.surroundings import ENVIRONMENT
from tests.kubernetes.town import BRANCH, Town
from tests.kubernetes.watcher import Watcher

RELEASE_SECONDS = 600
"""A release by Argo CD takes some 30 s on a machine that does nothing else."""
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
            env=self.town.slipway.variables(),
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
        (row,) = self.town.around.query("select * from slipway.active")
        return row

    def active(self) -> tuple[str, str, str]:
        """Release by the row, slot by the row, slot by the Service: names as given to `build`."""
        row = self.row()
        slot = self.town.around.active_slot()
        return self.town.name_of(row["release"]), str(row["slot"]), slot

    def branch(self) -> dict[str, Any]:
        return dict(yaml.safe_load(self.town.file("release.yaml")))

    def held(self) -> list[str]:
        return [self.town.name_of(hold["release"]) for hold in self.branch().get("holds") or []]

    def named(self) -> str:
        """The release that the branch says shall run."""
        branch = self.branch()
        return self.town.name_of(branch["slots"][branch["active"]]["release"])

    def hooks(self, since: datetime | None = None) -> list[tuple[str, str, str]]:
        """Every hook that ran, or wrote since then: release, step, how it ended; oldest first."""
        rows = self.town.around.query(
            "select release, step, status from slipway.hooks"
            " where at > coalesce(%s::timestamptz, '-infinity') order by at",
            since,
        )
        return [(self.town.name_of(row["release"]), row["step"], row["status"]) for row in rows]

    def moment(self) -> datetime:
        """By the clock of the database."""
        ((now,),) = (row.values() for row in self.town.around.query("select clock_timestamp()"))
        assert isinstance(now, datetime)
        return now

    def pods(self) -> set[str]:
        """Every pod of slots that is there, by its uid: one that was started again has another."""
        found = [pod["metadata"] for pod in self.town.around.get("pods")["items"]]
        return {
            pod["uid"]
            for pod in found
            if not pod.get("deletionTimestamp")
            and any(owner["kind"] == "ReplicaSet" for owner in pod.get("ownerReferences", ()))
        }

    def desired(self) -> list[dict[str, Any]]:
        """Every object that the branch names."""
        texts = [
            *self.town.manifests("slots").values(),
            *self.town.manifests("edge").values(),
        ]
        return [one for text in texts for one in yaml.safe_load_all(text) if one]

    def unwanted(self) -> set[str]:
        """Objects that Argo CD tracks and the branch does not name."""
        desired = self.desired()
        wanted, kinds = {title(one) for one in desired}, {kind(one) for one in desired}
        return {
            title(one)
            for one in self.town.around.get(",".join(sorted(kinds)))["items"]
            if TRACKING in (one["metadata"].get("annotations") or {})
            and HOOK not in one["metadata"]["annotations"]
            and title(one) not in wanted
        }

    def configuration(self, slot: str) -> list[str]:
        """Names of the settings in a slot; each is named by its content."""
        found = self.town.around.get("configmaps", "-l", f"slipway.dev/slot={slot}")["items"]
        names = [one["metadata"]["name"] for one in found]
        return sorted(name for name in names if name.startswith(f"trading-{slot}-settings-"))

    def answered(self, watcher: Watcher, moment: float) -> dict[str, int]:
        """How many requests since then each release answered."""
        found = {self.town.name_of(r): n for r, n in watcher.releases(moment).items()}
        print(f"answered by: {found}; failed: {len(watcher.failures(moment))}")
        return found

    def go_back_in_git(self, folder: Path) -> str:
        """As a person, with git alone: `git revert` of the newest promotion, and a push."""
        origin = str(self.town.origin)
        git(folder.parent, "clone", "--quiet", "--branch", BRANCH, origin, str(folder))
        git(folder, "revert", "--no-edit", "HEAD")
        git(folder, "push", "--quiet", "origin", BRANCH)
        return git(folder, "rev-parse", "HEAD")

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
