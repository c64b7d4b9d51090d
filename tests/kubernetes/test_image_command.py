"""`slipway image` as people type it: what it says, what it leaves, and a registry that takes the image."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipelines.adapters.images.docker import Docker
from pipelines.model.errors import Unavailable
from pipelines.targets.local.layout import Installation
from tests.cluster import processes, tools
from tests.cluster.errors import Missing
from tests.kubernetes.image_fixtures import APPLICATION
from tests.kubernetes.image_shelf import Built
from tests.kubernetes.images import REPOSITORY, Workshop, docker

COMMAND = (sys.executable, "-m", "pipelines.cli.main", "image")


@pytest.fixture(scope="module")
def registry() -> Iterator[str]:
    """Host and port of one that keeps what it is given in memory."""
    try:
        program = tools.build("registry") / "registry"
    except Missing as missing:
        pytest.skip(f"{missing}: {missing.hint}")
    port = processes.free_port()
    running = subprocess.Popen([str(program), "--port", str(port)], stderr=subprocess.DEVNULL)
    try:
        for _ in range(200):
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/v2/", timeout=5).close()
                break
            except urllib.error.URLError:
                time.sleep(0.05)
        yield f"127.0.0.1:{port}"
    finally:
        running.kill()
        running.wait()


@pytest.fixture(scope="module")
def installed(workshop: Workshop) -> Workshop:
    """The least that `slipway image` asks for: it needs no environment that runs."""
    Installation.create(workshop.state, REPOSITORY)
    return workshop


def image(workshop: Workshop, *words: str) -> subprocess.CompletedProcess[str]:
    argv = [*COMMAND, *words, "--state", str(workshop.state)]
    return subprocess.run(argv, capture_output=True, text=True, timeout=280, check=False)


def test_a_release_comes_to_a_registry_which_knows_it_by_the_digest_that_was_said(
    installed: Workshop, built_application: Built, engine_base: str, registry: str
) -> None:
    # Built already: the same content again, under the registry's name.
    repository = f"{registry}/trading"
    words = ["--repository", repository, "--base-image", engine_base, "--push", "--output", "json"]
    done = image(installed, installed.release().id, *words)
    assert done.returncode == 0, done.stderr
    said = json.loads(done.stdout)
    assert said["digest"] == built_application[0].digest
    assert said["name"] == f"{repository}:{installed.release().id}"
    url = f"http://{registry}/v2/trading/manifests/{said['name'].rpartition(':')[2]}"
    with urllib.request.urlopen(urllib.request.Request(url, method="HEAD"), timeout=30) as answer:
        assert answer.headers["Docker-Content-Digest"] == said["pushed"]
    docker("image", "rm", said["name"])


def test_a_registry_that_is_away_is_named(built_application: Built) -> None:
    name = f"127.0.0.1:{processes.free_port()}/trading:1"
    docker("tag", built_application[0].name, name)
    with pytest.raises(Unavailable, match="was not pushed") as refused:
        Docker().push(name)
    assert refused.value.hint.startswith("docker login 127.0.0.1:")
    docker("image", "rm", name)


def test_ctrl_c_ends_it_and_leaves_nothing(
    installed: Workshop, engine_base: str, tmp_path: Path
) -> None:
    installed.release()
    file = tmp_path / "image.tar"
    argv = [*COMMAND, "--repository", APPLICATION, "--base-image", engine_base]
    argv += ["--save", str(file), "--state", str(installed.state)]
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    with subprocess.Popen(
        argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as running:
        try:
            assert running.stdout
            for line in running.stdout:
                if "without a network" in line:
                    break
            time.sleep(1)
            running.send_signal(signal.SIGINT)
            said = running.stdout.read()
            assert running.wait(60) == 130, said
        finally:
            running.kill()
    assert "Stopped." in said
    assert "Traceback" not in said
    assert list(tmp_path.iterdir()) == []
    assert docker("images", "--quiet", "slipway-making") == ""
