"""The image of Slipway, for controller and hooks: small, without root, at work in a pod's limits."""

from __future__ import annotations

import json

import pytest

from tests.kubernetes.image_fixtures import ENGINE
from tests.kubernetes.image_shelf import Built
from tests.kubernetes.images import described, docker

MOST_OWN_MEGABYTES = 300
# As a restricted pod: any user, nothing to write to but /tmp, no network, no capabilities.
POD = ["--rm", "--interactive", "--network", "none", "--read-only", "--tmpfs", "/tmp",
       "--user", "54321:0", "--cap-drop", "ALL", "--security-opt", "no-new-privileges"]  # fmt: skip
CONFIG_MAP = (
    '{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a"}, "data": {"key": "value"}}'
)


def test_it_runs_as_a_number_that_is_not_root_and_is_asked_for_its_health(
    built_engine: Built,
) -> None:
    config = described(built_engine[0].name)["Config"]
    assert built_engine[0].name.startswith(f"{ENGINE}:")
    assert config["User"] == "10001:10001"
    assert config["Healthcheck"]["Test"] == ["CMD", "slipway", "--version"]
    assert config["Entrypoint"] == ["slipway"]


@pytest.mark.parametrize(
    "words", ["--version", "hook --help", "controller --help", "sync --help", "diff --help"]
)
def test_commands_start_as_any_user_on_a_read_only_root(built_engine: Built, words: str) -> None:
    assert "slipway" in docker("run", *POD, built_engine[0].name, *words.split())


def test_it_plans_manifests(built_engine: Built) -> None:
    shell = f"echo '{CONFIG_MAP}' >/tmp/new.yaml; exec slipway plan -f /tmp/new.yaml --output json"
    said = docker("run", *POD, "--entrypoint", "sh", built_engine[0].name, "-c", shell)
    assert "ConfigMap" in json.dumps(json.loads(said))


def test_what_a_cluster_needs_is_in_it_and_what_it_does_not_is_not(built_engine: Built) -> None:
    needed = """
import importlib.util, subprocess, helm_python, kubernetes.client, kubernetes.config, kubernetes.stream
from pipelines.adapters.postgres_server import binaries
print(helm_python.helm_sdk_version())
print(subprocess.run([binaries() / "pg_dump", "--version"], capture_output=True, text=True).stdout)
print([name for name in ("circus", "zmq", "tornado", "uv", "pip", "tests")
       if importlib.util.find_spec(name)])
print(subprocess.check_output(["git", "--version"], text=True))
"""
    said = docker(
        "run", *POD, "--entrypoint", "python", built_engine[0].name, "-I", "-c", needed
    ).splitlines()
    assert said[0].startswith("v")
    assert "PostgreSQL) 18" in said[1]
    assert "[]" in said
    assert said[-1].startswith("git version 2")


def test_it_is_small(built_engine: Built, engine_base: str) -> None:
    own = built_engine[0].size_bytes - described(engine_base)["Size"]
    assert own < MOST_OWN_MEGABYTES * 1e6
