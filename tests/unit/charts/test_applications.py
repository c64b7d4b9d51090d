"""`environments/<env>/application*.yaml`: how Argo CD is pointed at an environment."""

from __future__ import annotations

import pytest
import yaml

from pipelines.engine.sync.application_yaml import Application, parse
from pipelines.model import yaml_strict
from pipelines.model.sync import Retry
from tests.support.charts import ENVIRONMENTS, ROOT


def applications(environment: str) -> dict[str, Application]:
    """Path in the branch → Application."""
    files = (f"environments/{environment}/application{part}.yaml" for part in ("", "-edge"))
    found = [parse((ROOT / file).read_text(), file) for file in files]
    return {item.path: item for item in found}


def namespace(environment: str) -> str:
    stack = yaml.safe_load((ROOT / f"environments/Pulumi.{environment}.yaml").read_text())
    return str(stack["config"]["slipway:environment"]["namespace"])


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_slots_and_edge_follow_the_environment_s_branch_into_its_namespace(
    environment: str,
) -> None:
    found = applications(environment)
    assert set(found) == {"slots", "edge"}
    for path, item in found.items():
        assert item.settings.application == f"slipway-{environment}-{path}"
        assert item.settings.namespace == namespace(environment)
        assert item.revision == f"env/{environment}"
        assert item.recurse


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_they_are_read_as_strictly_as_all_data_of_an_environment(environment: str) -> None:
    for file in (ROOT / "environments" / environment).glob("*.yaml"):
        assert yaml_strict.load_mapping(file.read_text(), str(file))


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_bad_release_is_not_tried_for_minutes(environment: str) -> None:
    for item in applications(environment).values():
        assert item.settings.retry == Retry(1, 1.0, 1.0, 1.0)
        assert item.settings.automated
        assert item.settings.prune
        assert item.settings.self_heal


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_self_heal_leaves_the_selector_s_slot_alone(environment: str) -> None:
    edge = applications(environment)["edge"].settings
    (rule,) = edge.ignore
    assert (rule.kind, rule.json_pointers) == ("Service", ("/spec/selector/slipway.dev~1slot",))
    assert {"ServerSideApply", "RespectIgnoreDifferences"} <= edge.options
