"""An installation whose dev Argo CD syncs on the test cluster: state folder, origin, releases."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from pipelines.adapters.release_store import LocalReleaseStore
from tests.cluster.standing import Standing
from tests.harness.installation import Installation, clone, git
from tests.kubernetes import job_images
from tests.kubernetes.image_fixtures import APPLICATION, ENGINE
from tests.kubernetes.surroundings import ENVIRONMENT, Surroundings
from tests.planted.edits import Edit, open_promotion

BRANCH = f"env/{ENVIRONMENT}"
URL_FILE = "dev-database-url"
INSTALL = """
import sys
from pathlib import Path
from pipelines import wiring
installation = wiring.install(Path(sys.argv[1]), int(sys.argv[2]))
wiring.install_origin(installation, "a test")
wiring.enrol_keys(installation, "a test")
wiring.take_over_settings(installation.state)
"""
"""What `slipway up` does before it starts anything; no environment of this machine is needed here."""


class CheckoutInstallation(Installation):
    """Its commands run the checkout's code. The origin's hooks run the engine of these tests."""

    def variables(self) -> dict[str, str]:
        return super().variables() | {"SLIPWAY_ENGINE": "checkout"}


@dataclass
class Town:
    cluster: Standing
    folder: Path
    engine_tag: str
    releases: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.slipway = CheckoutInstallation(
            clone(self.folder / "clone"),
            self.folder / "state",
            command=(sys.executable, "-m", "pipelines.cli.main"),
        )
        self.around = Surroundings(self.cluster, self.slipway.checkout)

    @property
    def origin(self) -> Path:
        return self.slipway.origin

    def settle(self, edits: Mapping[str, Sequence[Edit]], *, whole: str) -> None:
        """All that is there before the branch is synced for the first time: releases, their images on
        the node (on top of the image `whole`), what stands around them."""
        self.install()
        self.build(edits)
        store = LocalReleaseStore(self.slipway.state)
        releases = [store.get(release) for release in self.releases.values()]
        job_images.bring(self.cluster, self.slipway.state, releases, whole)
        self.around.build(APPLICATION, self.releases["first"], self.slipway.token)
        self.reach_the_database()

    def install(self) -> None:
        """State folder and origin, of a clone whose dev is on this cluster."""
        self.slipway.commit(self._settings, "Put dev on the test cluster")
        state, port = str(self.slipway.state), str(self.slipway.base_port)
        words = [sys.executable, "-c", INSTALL, state, port]
        subprocess.run(words, cwd=self.slipway.checkout, check=True, capture_output=True)
        (self.slipway.state / "engine").mkdir(exist_ok=True)
        (self.slipway.state / "engine" / "current").symlink_to(sys.prefix)

    def _settings(self, checkout: Path) -> None:
        open_promotion(checkout)
        document = {
            "target": "kubernetes",
            "kubernetes": {
                "context": self.cluster.context,
                "namespace": self.around.namespace,
                "image": APPLICATION,
                "controller": "argo-cd",
                "engine_image": ENGINE,
                "engine_tag": self.engine_tag,
                "database_url_file": URL_FILE,
            },
            "soak_seconds": 4,
            "rollback_window_hours": 1,
            "reason_required": False,
            "ready_timeout_seconds": 240,
            "verify_timeout_seconds": 120,
            "analysis": {"min_samples": 20, "max_latency_factor": 50, "min_latency_seconds": 2},
        }
        folder = checkout / "environments" / ENVIRONMENT
        (folder / "environment.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
        values = yaml.safe_load((folder / "values.yaml").read_text())
        # Else a migration is refused without a volume; and a job's limit counts until its pod runs.
        values["hooks"] = {"backup": {"none": True}, "startSeconds": 300}
        (folder / "values.yaml").write_text(yaml.safe_dump(values, sort_keys=False))

    def build(self, edits: Mapping[str, Sequence[Edit]]) -> None:
        """A release by each name, each from the commit before all of them with its own edits."""
        checkout = self.slipway.checkout
        start = self.slipway.commit(lambda _: None, "Begin")
        made: dict[str, str] = {}
        for name, wanted in edits.items():
            git(checkout, "reset", "--quiet", "--hard", start)
            for edit in wanted:
                edit(checkout)
            made[name] = self.slipway.release(lambda _: None, f"The {name} release")
        self.releases = made

    def reach_the_database(self) -> None:
        """Once there is one."""
        file = self.slipway.state / URL_FILE
        file.write_text(self.around.database_address)
        file.chmod(0o600)

    def name_of(self, release: str) -> str:
        """As it was given to `build`."""
        names = {value: key for key, value in self.releases.items()}
        return names.get(release, release)

    # --- the environment's branch ----------------------------------------------------------------
    def head(self) -> str:
        return self.git("rev-parse", BRANCH)

    def git(self, *words: str) -> str:
        return self._git(*words).strip()

    def _git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", "--git-dir", self.origin, *words], capture_output=True, text=True, check=True
        )
        return done.stdout

    def file(self, path: str) -> str:
        """As the branch has it now, to the last line's end."""
        return self._git("show", f"{BRANCH}:{path}")

    def manifests(self, folder: str) -> dict[str, str]:
        """Path → text, of `slots` or `edge`."""
        paths = self.git("ls-tree", "-r", "--name-only", BRANCH, f"{folder}/").splitlines()
        return {path: self.file(path) for path in paths}
