"""One environment on the test cluster with everything around it: namespace, secrets, database and venue
by their charts, an installation of Slipway with its origin, releases and their images."""

from __future__ import annotations

import json
import secrets
import subprocess
import sys
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.cluster import tools
from tests.cluster.fixtures import RESTRICTED
from tests.cluster.standing import Standing
from tests.harness import database
from tests.harness.installation import Installation, clone
from tests.kubernetes.images import DATABASE
from tests.kubernetes.job_images import APPLICATION, ENGINE
from tests.planted.edits import Edit, open_promotion

ENVIRONMENT = "dev"
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


@dataclass
class Town:
    """`controller`: who applies the branch, as in `environment.yaml`."""

    cluster: Standing
    folder: Path
    controller: str
    engine_tag: str
    releases: Mapping[str, str] = field(default_factory=dict)
    namespace: str = field(default_factory=lambda: f"job-{uuid.uuid4().hex[:6]}")

    def __post_init__(self) -> None:
        self.password = secrets.token_hex(12)
        self.slipway = Installation(
            clone(self.folder / "clone"),
            self.folder / "state",
            command=(sys.executable, "-m", "pipelines.cli.main"),
        )

    @property
    def origin(self) -> Path:
        return self.slipway.origin

    # --- the cluster -----------------------------------------------------------------------------
    def kubectl(self, *words: str, **options: Any) -> str:
        return self.cluster.must("--namespace", self.namespace, *words, **options)

    def get(self, *words: str) -> Any:
        return json.loads(self.kubectl("get", *words, "--output", "json"))

    def build_around(self, venue_release: str) -> None:
        """Namespace under the restricted standard, secrets, database and venue, running."""
        self.cluster.must("create", "namespace", self.namespace)
        self.cluster.must("label", "namespace", self.namespace, f"{RESTRICTED}=restricted")
        address = f"postgresql://trading:{self.password}@trading-database:5432/trading"
        known = {"username": "trading", "password": self.password, "uri": address}
        self._secret("trading-database", known)
        self._secret("trading-token", {"token": self.slipway.token})
        repository, _, tag = DATABASE.rpartition(":")
        self._helm(
            "database",
            *("--set-string", f"database.image.repository={repository},database.image.tag={tag}"),
            *(
                "--set",
                "database.resources.requests.cpu=50m,database.resources.requests.memory=128Mi",
            ),
        )
        self._helm(
            "venue",
            *("--set", f"image.repository={APPLICATION}", "--set", f"release.id={venue_release}"),
        )
        for name in ("trading-database", "venue"):
            self.kubectl("rollout", "status", "statefulset", name, "--timeout=120s", seconds=130)
        file = self.slipway.state / "dev-database-url"
        file.write_text(self.database_address)
        file.chmod(0o600)

    def _secret(self, name: str, content: Mapping[str, str]) -> None:
        literals = [f"--from-literal={key}={value}" for key, value in content.items()]
        self.kubectl("create", "secret", "generic", name, *literals)

    def _helm(self, chart: str, *words: str) -> None:
        values = self.slipway.checkout / "environments"
        done = subprocess.run(
            [
                *(str(tools.program("helm")), "install", chart, f"charts/{chart}"),
                *("--kubeconfig", str(self.cluster.kubeconfig), "--namespace", self.namespace),
                *("--values", f"{values}/base/values.yaml"),
                *("--values", f"{values}/{ENVIRONMENT}/values.yaml", *words),
            ],
            cwd=self.slipway.checkout,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr

    @property
    def database_address(self) -> str:
        """As this machine reaches it: by the service's own address."""
        host = self.service_address("trading-database")
        return f"postgresql://trading:{self.password}@{host}:5432/trading"

    def service_address(self, name: str) -> str:
        return str(self.get("service", name)["spec"]["clusterIP"])

    def query(self, sql: str, *parameters: Any) -> list[dict[str, Any]]:
        return database.query(self.database_address, sql, *parameters)

    def active_slot(self) -> str:
        """As the active Service says it."""
        return str(self.get("service", "trading")["spec"]["selector"]["slipway.dev/slot"])

    def destroy(self) -> None:
        self.cluster.kubectl("delete", "namespace", self.namespace, "--wait=false")

    # --- the installation ------------------------------------------------------------------------
    def install(self) -> None:
        """State folder and origin, of a clone whose dev is on this cluster."""
        self.slipway.commit(self._settings, "Put dev on the test cluster")
        words = [
            sys.executable,
            "-c",
            INSTALL,
            str(self.slipway.state),
            str(self.slipway.base_port),
        ]
        subprocess.run(words, cwd=self.slipway.checkout, check=True, capture_output=True)

    def _settings(self, checkout: Path) -> None:
        open_promotion(checkout)
        document = {
            "target": "kubernetes",
            "kubernetes": {
                "context": self.cluster.context,
                "namespace": self.namespace,
                "image": APPLICATION,
                "controller": self.controller,
                "engine_image": ENGINE,
                "engine_tag": self.engine_tag,
                "database_url_file": "dev-database-url",
            },
            "soak_seconds": 4,
            "rollback_window_hours": 1,
            "reason_required": False,
            "ready_timeout_seconds": 90,
            "verify_timeout_seconds": 60,
            "analysis": {"min_samples": 20, "max_latency_factor": 50, "min_latency_seconds": 1},
        }
        folder = checkout / "environments" / ENVIRONMENT
        (folder / "environment.yaml").write_text(yaml.safe_dump(document, sort_keys=False))
        values = yaml.safe_load((folder / "values.yaml").read_text())
        values["hooks"] = {"backup": {"none": True}}  # else a migration is refused without a volume
        (folder / "values.yaml").write_text(yaml.safe_dump(values, sort_keys=False))

    def build(self, edits: Mapping[str, Sequence[Edit]]) -> None:
        """A release by each name, each from the commit before all of them with its own edits."""
        start = self.slipway.commit(lambda _: None, "Begin")
        made: dict[str, str] = {}
        for name, wanted in edits.items():
            self._reset(start)
            for edit in wanted:
                edit(self.slipway.checkout)
            made[name] = self.slipway.release(lambda _: None, f"The {name} release")
        self.releases = made

    def _reset(self, commit: str) -> None:
        subprocess.run(
            ["git", "-C", self.slipway.checkout, "reset", "--quiet", "--hard", commit], check=True
        )

    def head(self) -> str:
        """Commit of the environment's branch."""
        return self.git("rev-parse", f"env/{ENVIRONMENT}")

    def git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", "--git-dir", self.origin, *words], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    def file(self, path: str) -> str:
        """As the branch has it now."""
        return self.git("show", f"env/{ENVIRONMENT}:{path}")


def until(
    what: str, holds: Callable[[], object], cluster: Standing, seconds: float = 60.0
) -> float:
    return cluster.until(what, lambda: bool(holds()), seconds=seconds)
