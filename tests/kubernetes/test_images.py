"""The image of a release: who it runs as, what is in it, and that it is the same each time."""

from __future__ import annotations

import json
import re
import tarfile
from pathlib import Path

import pytest

from pipelines.adapters.images.docker import Docker
from pipelines.model.errors import BadInput, Unavailable
from tests.kubernetes.image_fixtures import APPLICATION
from tests.kubernetes.image_shelf import Built
from tests.kubernetes.images import Workshop, described, docker

MOST_OWN_MEGABYTES = 120
FORBIDDEN = re.compile(
    r"(^|/)(\.git|\.env|\.npmrc|id_rsa|.*\.pem|.*\.key|token|passfile|\.pgpass)$"
)


@pytest.fixture(scope="module")
def names(built_application: Built) -> list[str]:
    """Every path in the layer that lies on the base image."""
    with tarfile.open(built_application[1]) as archive:
        (manifest,) = json.loads(archive.extractfile("manifest.json").read())  # type: ignore[union-attr]
        with tarfile.open(fileobj=archive.extractfile(manifest["Layers"][-1])) as layer:
            assert {member.mtime for member in layer} == {315532800}
            return layer.getnames()


def test_its_tag_is_the_release_and_its_labels_say_where_it_comes_from(
    built_application: Built, workshop: Workshop
) -> None:
    release = workshop.release()
    assert built_application[0].name == f"{APPLICATION}:{release.id}"
    labels = described(built_application[0].name)["Config"]["Labels"]
    assert labels["dev.slipway.release"] == release.id
    assert labels["org.opencontainers.image.revision"] == release.source_commit
    assert labels["org.opencontainers.image.version"] == release.version


def test_it_runs_as_a_number_that_is_not_root_and_is_asked_for_its_health(
    built_application: Built,
) -> None:
    config = described(built_application[0].name)["Config"]
    assert config["User"] == "10001:10001"
    assert config["Healthcheck"]["Test"][0] == "CMD"
    assert config["Entrypoint"] == ["python", "-m", "trading"]


def test_nothing_secret_and_nothing_superfluous_is_in_it(names: list[str]) -> None:
    assert [name for name in names if FORBIDDEN.search(name)] == []
    assert {name.split("/")[0] for name in names} == {"opt"}
    packages = {
        name.split("site-packages/")[1].split("/")[0] for name in names if "site-packages/" in name
    }
    assert "trading" in packages
    assert packages & {"pip", "tests", "pytest", "pipelines"} == set()


def test_it_is_small(built_application: Built, engine_base: str) -> None:
    own = built_application[0].size_bytes - described(engine_base)["Size"]
    assert own < MOST_OWN_MEGABYTES * 1e6


def test_it_reports_the_artifact_of_its_release_as_any_user_on_a_read_only_root(
    built_application: Built, workshop: Workshop
) -> None:
    program = "from trading import artifact; print(artifact.digest())"
    options = ["--rm", "--read-only", "--network", "none", "--cap-drop", "ALL", "--user", "54321:0"]
    said = docker(
        "run", *options, "--entrypoint", "python", built_application[0].name, "-c", program
    )
    assert said == workshop.release().artifact


def test_a_build_that_wants_the_network_fails(engine_base: str, tmp_path: Path) -> None:
    program = "import socket; socket.create_connection(('1.1.1.1', 443), 3)"
    (tmp_path / "Dockerfile").write_text(f'FROM {engine_base}\nRUN python3 -c "{program}"\n')
    with pytest.raises(BadInput, match="the image cannot be built") as refused:
        Docker().build(tmp_path, "slipway-test-network:1", {})
    assert "unreachable" in refused.value.message or "non-zero code" in refused.value.message


def test_no_stage_of_a_build_stays_behind(built_application: Built) -> None:
    assert built_application[0].digest.startswith("sha256:")
    assert docker("images", "--quiet", "--filter", "label=dev.slipway.making") == ""


def test_a_base_image_that_is_not_there_is_refused_with_its_name(
    workshop: Workshop, engine_base: str
) -> None:
    with pytest.raises(BadInput, match=r"base image slipway\.invalid/none:1 cannot be used"):
        workshop.image("slipway.invalid/none:1")


def test_without_an_engine_the_error_says_how_to_name_one(
    workshop: Workshop, engine_base: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{tmp_path}/none.sock")
    with pytest.raises(Unavailable, match="no Docker Engine answers") as refused:
        workshop.image(engine_base)
    assert "DOCKER_HOST=" in refused.value.hint
