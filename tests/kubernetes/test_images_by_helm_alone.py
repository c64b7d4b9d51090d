"""docs/charts.md, "With Helm alone", typed as it stands: `helm install`, `test`, `upgrade`, `rollback`."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.cluster import tools
from tests.cluster.standing import Standing
from tests.harness.installation import Installation
from tests.harness.pages import Type, steps
from tests.harness.person import Person
from tests.kubernetes import client_place
from tests.kubernetes.image_fixtures import APPLICATION
from tests.kubernetes.images import REPOSITORY, Workshop
from tests.kubernetes.service_load import ServiceLoad
from tests.kubernetes.surroundings import Surroundings

TOKEN = "a-token-of-a-test"  # not-a-secret: of a namespace that ends with the test
PAGE, SECTION = REPOSITORY / "docs" / "charts.md", "With Helm alone"
LEAST_REQUESTS = 300


@dataclass
class ByHelm:
    """Somebody in a clone who has kubectl, helm, database and venue, and no Slipway."""

    around: Surroundings
    person: Person
    first: str
    second: str

    def commands(self) -> list[str]:
        return [step.command for step in steps(PAGE, SECTION) if isinstance(step, Type)]

    def pods(self) -> int:
        """Of both processes, those that end included."""
        slot = "app.kubernetes.io/component in (api, trader)"
        return len(self.around.get("pods", "-l", slot)["items"])

    def answers(self) -> str:
        """The release that a new connection to the Service reaches."""
        ask = "import json,urllib.request as u;print(json.load(u.urlopen('http://trading/version'))['release'])"
        pod = ("exec", "deploy/trading-trader", "-c", "trader", "--", "python", "-c", ask)
        return self.around.kubectl(*pod).strip()


@pytest.fixture
def by_helm(
    real_cluster: Standing,
    workshop: Workshop,
    application_image: str,
    second_app_image: str,
    database_image: str,
) -> Iterator[ByHelm]:
    release = workshop.release()
    around = Surroundings(real_cluster, workshop.clone)
    second = second_app_image.rpartition(":")[2]
    instead = {
        "slipway-dev": around.namespace,
        "registry.example.com/trading": APPLICATION,
        "r-0123456789abcdef": release.id,
        "r-fedcba9876543210": second,
    }
    variables = {
        "KUBECONFIG": str(real_cluster.kubeconfig),
        "PATH": tools.path(os.environ["PATH"]),
    }
    made = Installation(workshop.clone, Path(os.devnull))
    try:
        around.build(APPLICATION, release.id, TOKEN)
        yield ByHelm(around, Person(made, instead, variables), release.id, second)
    finally:
        around.destroy()


def test_who_has_helm_alone_installs_tests_upgrades_without_a_failed_request_and_goes_back(
    by_helm: ByHelm, real_cluster: Standing
) -> None:
    install, prepare, test, upgrade, back = by_helm.commands()
    by_helm.person.type(install)
    by_helm.person.type(prepare)
    assert "Phase:          Succeeded" in by_helm.person.type(test)
    assert by_helm.answers() == by_helm.first

    with client_place.of(real_cluster) as place:
        url = f"http://{by_helm.around.service_address('trading')}"
        load = ServiceLoad(url, TOKEN, rate=30, place=place)
        load.start()
        try:
            by_helm.person.type(upgrade)
            real_cluster.until("the old pods are gone", lambda: by_helm.pods() == 2, seconds=90)
        finally:
            load.stop()
    assert load.requests >= LEAST_REQUESTS
    assert load.cut_off == 0, load.problems
    assert by_helm.answers() == by_helm.second
    assert "Phase:          Succeeded" in by_helm.person.type(test)

    by_helm.person.type(back)
    assert by_helm.answers() == by_helm.first
