"""The images of the suite are on the node, and start in a pod that may do nothing."""

from __future__ import annotations

from tests.cluster.standing import Standing
from tests.kubernetes.images import Workshop
from tests.kubernetes.pods import pod

ARTIFACT = "from trading import artifact; print(artifact.digest())"


def said_by(cluster: Standing, namespace: str, name: str, image: str, code: str) -> str:
    """What a pod with that Python wrote."""
    cluster.apply(pod(namespace, name, image, code))
    where = ("--namespace", namespace)

    def ended() -> bool:
        query = ("--output", "jsonpath={.status.phase}")
        return cluster.must("get", "pod", name, *where, *query) in ("Succeeded", "Failed")

    cluster.until(f"{name} ends", ended, seconds=90)
    return cluster.must("logs", name, *where).strip()


def test_both_releases_run_and_are_told_apart_by_their_artifact(
    real_cluster: Standing,
    real_namespace: str,
    workshop: Workshop,
    application_image: str,
    second_app_image: str,
) -> None:
    first = said_by(real_cluster, real_namespace, "first", application_image, ARTIFACT)
    second = said_by(real_cluster, real_namespace, "second", second_app_image, ARTIFACT)
    assert first == workshop.release().artifact
    assert second not in ("", first)
    assert application_image != second_app_image


def test_engine_and_database_run(
    real_cluster: Standing, real_namespace: str, engine_image: str, database_image: str
) -> None:
    ask = "import subprocess, sys; sys.exit(subprocess.call([%r, '--version']))"
    engine = said_by(real_cluster, real_namespace, "engine", engine_image, ask % "slipway")
    assert engine.startswith("slipway, version")
    database = said_by(real_cluster, real_namespace, "database", database_image, ask % "postgres")
    assert database.startswith("postgres (PostgreSQL) 18")
