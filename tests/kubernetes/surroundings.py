"""What is around the slots in one namespace: secrets, database and venue by their charts."""

from __future__ import annotations

import json
import secrets
import subprocess
import uuid
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.cluster import tools
from tests.cluster.fixtures import RESTRICTED
from tests.cluster.standing import Standing
from tests.harness import database
from tests.kubernetes.images import DATABASE

ENVIRONMENT = "dev"
SMALL = "requests.cpu=50m,database.resources.requests.memory=128Mi"


@dataclass
class Surroundings:
    """`checkout` has the charts and the environment's values."""

    cluster: Standing
    checkout: Path
    namespace: str = field(default_factory=lambda: f"job-{uuid.uuid4().hex[:6]}")
    password: str = field(default_factory=lambda: secrets.token_hex(12))

    def kubectl(self, *words: str, **options: Any) -> str:
        return self.cluster.must("--namespace", self.namespace, *words, **options)

    def get(self, *words: str) -> Any:
        return json.loads(self.kubectl("get", *words, "--output", "json"))

    def build(self, image: str, venue_release: str, token: str) -> None:
        """A namespace under the restricted standard, and all of it running. `image`: the repository
        that has the venue."""
        self.cluster.must("create", "namespace", self.namespace)
        self.cluster.must("label", "namespace", self.namespace, f"{RESTRICTED}=restricted")
        address = f"postgresql://trading:{self.password}@trading-database:5432/trading"
        known = {"username": "trading", "password": self.password, "uri": address}
        self._secret("trading-database", known)
        self._secret("trading-token", {"token": token})
        repository, _, tag = DATABASE.rpartition(":")
        placed = f"database.image.repository={repository},database.image.tag={tag}"
        self._helm("database", "--set-string", placed, "--set", f"database.resources.{SMALL}")
        self._helm("venue", "--set", f"image.repository={image},release.id={venue_release}")
        for name in ("trading-database", "venue"):
            self.kubectl("rollout", "status", "statefulset", name, "--timeout=170s", seconds=180)

    def _secret(self, name: str, content: dict[str, str]) -> None:
        literals = [f"--from-literal={key}={value}" for key, value in content.items()]
        self.kubectl("create", "secret", "generic", name, *literals)

    def _helm(self, chart: str, *words: str) -> None:
        values = [f"--values=environments/{name}/values.yaml" for name in ("base", ENVIRONMENT)]
        where = ("--kubeconfig", str(self.cluster.kubeconfig), "--namespace", self.namespace)
        done = subprocess.run(
            [
                *(str(tools.program("helm")), "install", chart, f"charts/{chart}"),
                *(*where, *values, *words),
            ],
            cwd=self.checkout,
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
