"""What outlives a release on a cluster, installed as a person does: namespace, secrets, two charts."""

from __future__ import annotations

import json
import secrets
import subprocess

import psycopg

from tests.cluster import tools
from tests.cluster.errors import ClusterError
from tests.cluster.fixtures import RESTRICTED
from tests.kubernetes import images
from tests.kubernetes.cluster_installation import REPOSITORY, ClusterInstallation


def namespace(made: ClusterInstallation) -> None:
    """Under the restricted Pod Security standard."""
    made.cluster.must("create", "namespace", made.namespace)
    made.cluster.must("label", "namespace", made.namespace, f"{RESTRICTED}=restricted")


def database(made: ClusterInstallation) -> None:
    """Image, secret and chart; ends when it takes connections, with its address in a file."""
    repository, _, tag = images.DATABASE.partition(":")
    _bring_database(made)
    password = secrets.token_hex(12)
    inside = f"postgresql://trading:{password}@trading-database:5432/trading"
    secret(made, "trading-database", username="trading", password=password, uri=inside)
    small = json.dumps({"requests": {"cpu": "20m", "memory": "64Mi"}})
    helm(
        made,
        "database",
        f"--set=database.image.repository={repository}",
        f"--set-string=database.image.tag={tag}",
        f"--set-json=database.resources={small}",
    )
    url = inside.replace("trading-database:5432", made.address("trading-database"))
    made.url_file.write_text(f"{url}\n")
    made.url_file.chmod(0o600)
    made.cluster.until("the database", lambda: _answers(url), 90)


def venue(made: ClusterInstallation, release: str) -> None:
    """Of the release's image, which is on the node."""
    helm(made, "venue", f"--set=image.repository={REPOSITORY}", f"--set=release.id={release}")


def secret(made: ClusterInstallation, name: str, **content: str) -> None:
    manifest = {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name},
        "stringData": content,
    }
    made.kubectl("apply", "--server-side", "-f", "-", feed=json.dumps(manifest))


def helm(made: ClusterInstallation, chart: str, *more: str) -> None:
    """Install one of the charts with dev's values. Raises ClusterError."""
    values = [f"--values=environments/{name}/values.yaml" for name in ("base", "dev")]
    where = [f"--kubeconfig={made.cluster.kubeconfig}", f"--kube-context={made.cluster.context}"]
    name = ["install", chart, f"charts/{chart}", f"--namespace={made.namespace}"]
    done = subprocess.run(
        [str(tools.program("helm")), *name, *where, *values, *more],
        cwd=made.checkout,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise ClusterError(f"helm install {chart}: {done.stderr.strip()}")


def _bring_database(made: ClusterInstallation) -> None:
    images.bring_database_image(made.image_base, made.cluster.load)


def _answers(url: str) -> bool:
    try:
        with psycopg.connect(url, connect_timeout=2) as connection:
            return connection.execute("select 1").fetchone() == (1,)
    except psycopg.Error:
        return False
