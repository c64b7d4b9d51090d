"""Where an environment on Kubernetes runs: what is read, and what is refused by key."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from pipelines.model import environment_yaml
from pipelines.model.environment import ARGO_CD, SLIPWAY, KubernetesSettings
from pipelines.model.errors import BadInput

SETTINGS = "target: {}\nsoak_seconds: 30\nrollback_window_hours: 24\nreason_required: true\n"
WHERE = "{{context: lab, namespace: slipway-dev, image: registry.example.com/trading{}}}"
DOCUMENT = Path(__file__).parents[3] / "docs" / "environments.md"


def _settings(kubernetes: str = WHERE.format(""), target: str = "kubernetes") -> str:
    return SETTINGS.format(target) + f"kubernetes: {kubernetes}\n"


def test_the_place_of_an_environment_is_read_and_the_rest_keeps_its_default() -> None:
    found = environment_yaml.parse(_settings(), "dev")
    assert found.target == "kubernetes"
    assert found.kubernetes == KubernetesSettings(
        "slipway-dev", "registry.example.com/trading", context="lab", controller=SLIPWAY
    )


def test_without_a_context_it_is_the_cluster_of_the_pod() -> None:
    text = _settings(
        "{namespace: slipway-dev, image: trading, controller: argo-cd,"
        " engine_image: engine, engine_tag: e-1}"
    )
    found = environment_yaml.parse(text, "dev").kubernetes
    assert found is not None
    assert (found.context, found.controller) == ("", ARGO_CD)


def test_the_mapping_may_stand_ready_before_the_target_is_changed() -> None:
    assert environment_yaml.parse(_settings(target="local"), "dev").kubernetes is None


def test_the_target_asks_for_the_mapping() -> None:
    with pytest.raises(BadInput, match="needs the mapping 'kubernetes'") as refused:
        environment_yaml.parse(SETTINGS.format("kubernetes"), "dev")
    assert "namespace: slipway-dev" in refused.value.hint


@pytest.mark.parametrize(
    ("mapping", "said", "remedy"),
    [
        pytest.param("7", "kubernetes: 7", "mapping", id="no mapping"),
        pytest.param("{namespace: x}", "'kubernetes.image' is missing", "add", id="no image"),
        pytest.param("{image: x}", "'kubernetes.namespace' is missing", "add", id="no namespace"),
        pytest.param(
            "{namespace: x, image: y, contxt: z}",
            "unknown key 'kubernetes.contxt'",
            "did you mean 'context'",
            id="misspelt",
        ),
        pytest.param(
            "{namespace: A_b, image: y}", "kubernetes.namespace: 'A_b'", "lower", id="name"
        ),
        pytest.param("{namespace: default, image: y}", "'default'", "own", id="shared namespace"),
        pytest.param(
            "{namespace: x, image: 'y:1'}", "'y:1'", "release's id", id="image with a tag"
        ),
        pytest.param("{namespace: x, image: y@sha256}", "'y@sha256'", "release's id", id="digest"),
        pytest.param(
            "{namespace: x, image: Y}", "kubernetes.image: 'Y'", "REGISTRY", id="capitals"
        ),
        pytest.param(WHERE.format(", controller: flux"), "'flux'", "argo-cd", id="controller"),
        pytest.param(
            WHERE.format(", database_url_file: 'postgres://u:p@h/d'"),
            "holds an address",
            "nothing secret",
            id="password in the file",
        ),
        pytest.param(
            WHERE.format(", controller: argo-cd, engine_image: e"),
            "no image",
            "engine_tag",
            id="hooks",
        ),
        pytest.param(
            WHERE.format(", controller: deployment"), "'deployment'", "engine_image", id="no engine"
        ),
        pytest.param(
            WHERE.format(", database_url_file: ../x"), "'../x'", "state folder", id="outside"
        ),
        pytest.param(
            WHERE.format(", operation_timeout_seconds: 1"), "_seconds: 1", "from 10", id="no time"
        ),
    ],
)
@pytest.mark.parametrize("target", ["kubernetes", "local"])
def test_a_place_that_cannot_be_meant_is_refused(
    mapping: str, said: str, remedy: str, target: str
) -> None:
    """Whether it is in use already or stands ready."""
    with pytest.raises(BadInput, match=re.escape(said)) as refused:
        environment_yaml.parse(_settings(mapping, target), "dev")
    assert "environments/dev/environment.yaml" in refused.value.message
    assert remedy in refused.value.hint


def test_a_password_is_not_repeated_in_the_refusal() -> None:
    # not-a-secret: made up for this test
    text = _settings(WHERE.format(", database_url_file: 'p://u:hush@h/d'"))
    with pytest.raises(BadInput) as refused:
        environment_yaml.parse(text, "dev")
    assert "hush" not in refused.value.message + refused.value.hint


def test_every_setting_stands_in_the_documents_and_no_other() -> None:
    written = re.findall(r"^\| `([a-z_.]+)` \|", DOCUMENT.read_text(), re.MULTILINE)
    assert sorted(written) == sorted(environment_yaml.keys())


def test_the_defaults_in_the_documents_are_those_of_the_code() -> None:
    rows = dict(
        re.findall(r"^\| `([a-z_.]+)` \|.*\| ([^|]*) \|$", DOCUMENT.read_text(), re.MULTILINE)
    )
    found = environment_yaml.parse(_settings(), "dev")
    assert found.kubernetes is not None
    parts = {"analysis": found.analysis, "kubernetes": found.kubernetes}
    numbers = {key: text for key, text in rows.items() if re.fullmatch(r"[0-9.]+", text)}
    assert len(numbers) >= 10
    for key, text in numbers.items():
        above, _, last = key.rpartition(".")
        assert getattr(parts.get(above, found), last) == float(text), key
