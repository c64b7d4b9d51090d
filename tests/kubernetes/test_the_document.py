"""docs/kubernetes.md, typed as it stands: from a bare cluster to three environments, and back once.

What is typed in its place: the registry, the context, the namespaces, the id of the first release, and
free ports. The machine of the tests needs less of everything: shorter soaks, patient probes, databases and
venues that ask for little. The tests are one way: each goes on where the one before stopped.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.cluster import registry, tools
from tests.cluster.errors import ClusterError, Missing
from tests.cluster.folder import Folder
from tests.cluster.standing import Standing
from tests.harness import advisories
from tests.harness.fixtures import new_folder
from tests.harness.installation import ENVIRONMENTS, Installation, clone, git
from tests.harness.pages import Type, steps
from tests.harness.person import Person
from tests.kubernetes import images
from tests.kubernetes.cluster_agreement import ClusterAgreement

pytestmark = pytest.mark.timeout(2400)
PAGE = "docs/kubernetes.md"
SETTLES_SECONDS = 120.0
POSTGRES = "postgres:18"
"""What charts/database runs where nobody says another one; no test asks a registry elsewhere."""
LITTLE = '{requests: {cpu: 20m, memory: 64Mi}, limits: {cpu: "1", memory: 768Mi}}'


def for_a_busy_machine(checkout: Path) -> None:
    """Its answers may take longer than a trader would bear, and it waits less."""
    for environment in ENVIRONMENTS:
        file = checkout / "environments" / environment / "environment.yaml"
        document = yaml.safe_load(file.read_text())
        document["soak_seconds"] = min(document["soak_seconds"], 3)
        document["verify_timeout_seconds"] = 120
        document.setdefault("analysis", {}).update(
            min_samples=20, min_record_samples=1, max_error_ratio=0.9, max_latency_factor=1000
        )
        file.write_text(yaml.safe_dump(document, sort_keys=False))
    base = checkout / "environments" / "base" / "values.yaml"
    little = [f"{name}: {{resources: {LITTLE}}}\n" for name in ("database", "venue")]
    base.write_text(base.read_text() + "".join(little))
    policy = checkout / "policies" / "promotion" / "policy.yaml"
    policy.write_text(re.sub(r"seconds: 30}", "seconds: 3}", policy.read_text()))


@dataclass
class Beside(Installation):
    """Its own commands find the cluster as the person's do."""

    kubeconfig: Path | None = None

    def variables(self) -> dict[str, str]:
        return super().variables() | {"KUBECONFIG": str(self.kubeconfig)}


class Newcomer(Person):
    """`prefix` of the namespaces stands for `slipway` of the page."""

    prefix = ""
    standing: Standing

    def namespace(self, environment: str) -> str:
        return f"{self.prefix}-{environment}"

    def agreement(self, environment: str) -> ClusterAgreement:
        made = self.installation
        return ClusterAgreement(
            environment,
            origin=made.origin,
            live_port=0,
            slot_ports={},
            database_uri=(made.state / f"{environment}-database-url").read_text().strip(),
            cluster=self.standing,
            namespace=self.namespace(environment),
        )

    def serves(self, environment: str) -> str:
        """The release that the environment's service answers with, when all agree on it."""
        agreement = self.agreement(environment)
        agreement.wait(SETTLES_SECONDS)
        return str(agreement.version()["release"])


@pytest.fixture(scope="module")
def newcomer(real_cluster: Standing) -> Iterator[Newcomer]:
    """In a fresh clone, with a bare cluster, a Docker Engine and a registry."""
    folder = real_cluster.folder
    if folder is None:
        pytest.skip("a registry is started beside a cluster made here only: unset KUBECONFIG")
    try:
        with images.docker_engine():
            bring_postgres(real_cluster)
            yield from in_a_fresh_clone(real_cluster, folder)
    except Missing as missing:
        pytest.skip(f"{missing}: {missing.hint}")


def in_a_fresh_clone(standing: Standing, folder: Folder) -> Iterator[Newcomer]:
    root = new_folder("slipway-document-")
    checkout = clone(root / "checkout")
    made = Beside(checkout, checkout / ".slipway", kubeconfig=standing.kubeconfig)
    made.first_head = made.commit(for_a_busy_machine, "Ask less of a machine of tests")
    prefix = f"document-{secrets.token_hex(3)}"
    instead = {
        "registry.example.com": registry.up(folder),
        "my-cluster": standing.context,
        "ready_timeout_seconds: 90": "ready_timeout_seconds: 240",
        "slipway-$env": f"{prefix}-$env",
        "namespace slipway-production": f"namespace {prefix}-production",
        "make up": f'make up ARGS="--base-port {made.base_port}"',
    }
    variables = {
        "KUBECONFIG": str(standing.kubeconfig),
        "PATH": tools.path(os.environ["PATH"]),
        "SLIPWAY_BASE_IMAGE": images.base(),
    }
    person = Newcomer(made, instead, variables, seconds=900)
    person.prefix, person.standing = prefix, standing
    try:
        yield person
    finally:
        left = made.down() if (checkout / ".venv").exists() else []
        registry.down(folder)
        for environment in ENVIRONMENTS:
            with suppress(ClusterError):
                name = person.namespace(environment)
                standing.must("delete", "namespace", name, "--wait=false", "--ignore-not-found")
        shutil.rmtree(made.runtime, ignore_errors=True)
        shutil.rmtree(root, ignore_errors=True)
    assert not left


def bring_postgres(standing: Standing) -> None:
    images.docker("tag", images.make_database_image(images.base()), POSTGRES)
    with tempfile.TemporaryDirectory() as folder:
        archive = Path(folder) / "database.tar"
        images.docker("save", "--output", str(archive), POSTGRES)
        standing.load(archive)


def test_namespaces_settings_and_databases_are_made_for_three_environments(
    newcomer: Newcomer,
) -> None:
    newcomer.follow(PAGE, "1. A namespace")
    newcomer.follow(PAGE, "2. The settings")
    assert not git(newcomer.installation.checkout, "status", "--porcelain")
    newcomer.follow(PAGE, "3. The databases")
    for environment in ENVIRONMENTS:
        file = newcomer.installation.state / f"{environment}-database-url"
        assert file.read_text().startswith("postgresql://trading:")
        assert file.stat().st_mode & 0o077 == 0


def test_the_first_release_comes_up_in_all_three(newcomer: Newcomer) -> None:
    first, *rest = commands("4. The installation")
    said = newcomer.type(first, code=2)  # make's own, when the command in it ends with 5
    for environment in ENVIRONMENTS:
        assert f"venue of {environment} does not run" in said
    advisories.install(newcomer.installation.state)
    (release,) = newcomer.installation.ok("releases")["releases"]
    newcomer.instead = {**newcomer.instead, "r-0123456789abcdef": release["release"]}
    for command in rest:
        newcomer.type(command)
    assert {newcomer.serves(one) for one in ENVIRONMENTS} == {release["release"]}


def test_a_change_goes_from_a_branch_through_dev_and_staging_to_production(
    newcomer: Newcomer,
) -> None:
    before = newcomer.serves("production")
    said = newcomer.follow(PAGE, "5. A release")
    assert "deliver passed" in said
    release = newcomer.serves("dev")
    assert release != before
    assert newcomer.serves("staging") == newcomer.serves("production") == release
    origin = newcomer.installation.origin
    assert git(origin, "rev-parse", "v0.1.0^{commit}") == git(origin, "rev-parse", "main")


def test_one_command_goes_back_and_commands_say_so(newcomer: Newcomer) -> None:
    left = newcomer.serves("production")
    said = newcomer.follow(PAGE, "6. The way back")
    back = newcomer.serves("production")
    assert back != left
    assert newcomer.serves("dev") == newcomer.serves("staging") == left
    assert "wrong parameter" in said
    assert "production: sync production" in said
    assert "── pod trading-blue-api" in said
    held = newcomer.agreement("production").branch()["holds"]
    assert [hold["release"] for hold in held] == [left]


def test_down_leaves_databases_and_venues(newcomer: Newcomer) -> None:
    said = newcomer.follow(PAGE, "7. The end")
    assert said.count("database and services stay in the cluster") == len(ENVIRONMENTS)
    for environment in ENVIRONMENTS:
        running = newcomer.standing.must(
            *("--namespace", newcomer.namespace(environment), "get", "statefulsets"),
            *("--output", "jsonpath={.items[*].metadata.name}"),
        )
        assert running.split() == ["trading-database", "venue"]
        scaled = newcomer.standing.must(
            *("--namespace", newcomer.namespace(environment), "get", "deployments"),
            *("--output", "jsonpath={.items[*].spec.replicas}"),
        )
        assert set(scaled.split()) == {"0"}


def commands(section: str) -> list[str]:
    page = Path(__file__).parents[2] / PAGE
    return [step.command for step in steps(page, section) if isinstance(step, Type)]
