"""An installation whose dev runs on a cluster; staging and production run on this machine."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

import yaml

from pipelines.model.image import BuiltImage
from tests.cluster import tools
from tests.cluster.standing import Standing
from tests.harness.installation import Installation
from tests.kubernetes.cluster_agreement import ClusterAgreement
from tests.kubernetes.derived_image import derive
from tests.kubernetes.image_shelf import once
from tests.kubernetes.images import docker

REPOSITORY = "slipway.test/trading"
ENVIRONMENT = "dev"


@dataclass
class ClusterInstallation(Installation):
    """Commands are this Python's; those that an installed engine runs are handed over to it."""

    standing: Standing | None = None
    namespace: str = ""
    image_base: str = ""
    imaged: list[str] = field(default_factory=list)
    """Releases that have an image."""

    def __post_init__(self) -> None:
        self.command = self.command or (sys.executable, "-m", "pipelines.cli.main")
        super().__post_init__()

    @property
    def cluster(self) -> Standing:
        assert self.standing is not None
        return self.standing

    @property
    def url_file(self) -> Path:
        return self.state.parent / "database-url"

    def variables(self) -> dict[str, str]:
        helm = tools.program("helm")
        given = {"KUBECONFIG": str(self.cluster.kubeconfig)}
        if helm.exists():
            given["HELM"] = str(helm)
        inherited = super().variables()
        inherited.pop(
            "PYTHONPATH", None
        )  # the installed engine must be the clone's, not this tree's
        return inherited | given

    def database_uri(self, environment: str) -> str:
        if environment != ENVIRONMENT:
            return super().database_uri(environment)
        return self.url_file.read_text().strip()

    def agreement(self, environment: str) -> ClusterAgreement:
        assert environment == ENVIRONMENT
        return ClusterAgreement(
            environment,
            origin=self.origin,
            live_port=0,
            slot_ports={},
            database_uri=self.database_uri(environment),
            cluster=self.cluster,
            namespace=self.namespace,
        )

    # --- the cluster ---------------------------------------------------------------------------
    def kubectl(self, *words: str, feed: str | None = None, seconds: float = 60.0) -> str:
        """In the environment's namespace."""
        return self.cluster.must("--namespace", self.namespace, *words, feed=feed, seconds=seconds)

    def objects(self, kind: str, selector: str = "") -> list[dict[str, Any]]:
        chosen = ("--selector", selector) if selector else ()
        found = json.loads(self.kubectl("get", kind, *chosen, "--output", "json"))
        return list(found["items"])

    def address(self, service: str) -> str:
        """`IP:port` of a Service; this machine reaches it."""
        spec = json.loads(self.kubectl("get", "service", service, "--output", "json"))["spec"]
        return f"{spec['clusterIP']}:{spec['ports'][0]['port']}"

    def live_url(self) -> str:
        return f"http://{self.address('trading')}"

    def selected(self) -> str:
        """The slot in the selector of the active Service."""
        service = json.loads(self.kubectl("get", "service", "trading", "--output", "json"))
        return str(service["spec"]["selector"]["slipway.dev/slot"])

    # --- releases ------------------------------------------------------------------------------
    def make_image(self, release: str) -> None:
        """Of the first release by `slipway image`, of others from that; brought onto the node."""
        if self.imaged:
            archive = self.state.parent / "image.tar"
            derive(self.state / "releases", REPOSITORY, self.imaged[0], release, archive)
        else:
            _, archive = once(release, self.state.parent, lambda to: self._image(release, to))
        self.cluster.load(archive)
        self.imaged.append(release)

    def _image(self, release: str, archive: Path) -> BuiltImage:
        words = ["image", release, "--repository", REPOSITORY, "--base-image", self.image_base]
        made = self.ok(*words, "--save", str(archive))
        return BuiltImage(**{one.name: made[one.name] for one in fields(BuiltImage)})

    def name_image(self, release: str, *, of: str) -> None:
        """Call the image of one release that of another; it is on the node afterwards."""
        archive = self.state.parent / "image.tar"
        docker("tag", f"{REPOSITORY}:{of}", f"{REPOSITORY}:{release}")
        docker("save", "--output", str(archive), f"{REPOSITORY}:{release}")
        self.cluster.load(archive)

    def build(self) -> str:
        """Every release gets its image, so that harness and tests may promote it."""
        release = super().build()
        if release not in self.imaged:
            self.make_image(release)
        return release

    # --- settings ------------------------------------------------------------------------------
    def settings(self, checkout: Path) -> None:
        """An edit: dev on the cluster, as docs/kubernetes.md says."""
        file = checkout / "environments" / ENVIRONMENT / "environment.yaml"
        document = yaml.safe_load(file.read_text())
        document |= {
            "target": "kubernetes",
            "kubernetes": {
                "context": self.cluster.context,
                "namespace": self.namespace,
                "image": REPOSITORY,
                "database_url_file": str(self.url_file),
            },
            "ready_timeout_seconds": 90,
            "verify_timeout_seconds": 60,
        }
        file.write_text(yaml.safe_dump(document, sort_keys=False))
