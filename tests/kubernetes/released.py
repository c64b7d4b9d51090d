"""The installation of the release tests: made once, by the words of docs/kubernetes.md."""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from tests.cluster.errors import ClusterError, Missing
from tests.cluster.standing import Standing
from tests.harness.fixtures import begin, new_folder
from tests.harness.installation import clone
from tests.kubernetes import images, outliving
from tests.kubernetes.cluster_installation import ENVIRONMENT, ClusterInstallation

UP_SECONDS = 400


@pytest.fixture(scope="session")
def released(real_cluster: Standing) -> Iterator[ClusterInstallation]:
    """dev on the cluster, its first release active; images come from a real Docker Engine."""
    try:
        with on_a_cluster(real_cluster) as made:
            yield made
    except Missing as missing:
        pytest.skip(f"{missing}: {missing.hint}")


@contextmanager
def on_a_cluster(standing: Standing) -> Iterator[ClusterInstallation]:
    """Raises Missing without a Docker Engine or what one is made of."""
    with images.docker_engine():
        root = new_folder("slipway-k-")
        made = ClusterInstallation(
            clone(root / "checkout"),
            root / "state",
            standing=standing,
            namespace=f"release-{secrets.token_hex(3)}",
            image_base=images.base(),
        )
        try:
            install(made)
            yield made
        finally:
            made.down()
            if os.environ.get("SLIPWAY_TESTS_KEEP"):
                print(f"kept: {root} and namespace {made.namespace}")
            else:
                with suppress(ClusterError):
                    standing.must("delete", "namespace", made.namespace, "--wait=false")
                shutil.rmtree(made.runtime, ignore_errors=True)
                shutil.rmtree(root, ignore_errors=True)


def install(made: ClusterInstallation) -> None:
    """A first `up` says what is missing; the second finds image and venue."""
    begin(made)
    made.first_head = made.commit(made.settings, "Let dev run on a cluster")
    outliving.namespace(made)
    outliving.database(made)
    words = ("up", "--state", str(made.state), "--base-port", str(made.base_port))
    answer = made.run(*words, timeout=UP_SECONDS)
    assert answer.code == 5, str(answer)
    assert "venue of dev does not run in namespace" in answer.text, str(answer)
    assert "helm install venue charts/venue" in answer.text, str(answer)
    outliving.secret(made, "trading-token", token=made.token)
    release = made.build()
    outliving.venue(made, release)
    made.cluster.until("the venue", lambda: _ready(made, "venue"), 90)
    made.ok(*words, timeout=UP_SECONDS)
    made.agreement(ENVIRONMENT).wait(30, release=release)


def _ready(made: ClusterInstallation, component: str) -> bool:
    pods = made.objects("pods", f"app.kubernetes.io/component={component}")
    return any(
        one["type"] == "Ready" and one["status"] == "True"
        for pod in pods
        for one in pod["status"].get("conditions", ())
    )
