"""Slipway's syncer as a person installs it: charts/controller, its rights, its login at the git host."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from tests.cluster import tools
from tests.kubernetes import git_over_http
from tests.kubernetes.applications import Applications
from tests.kubernetes.surroundings import ENVIRONMENT
from tests.kubernetes.town import Town

DEPLOYMENT, STATES = "slipway-controller", "slipway-sync"
FILES = {"slots": "application.yaml", "edge": "application-edge.yaml"}


class DeployedTown(Town):
    """Whose dev says `controller: deployment`."""

    def _settings(self, checkout: Path) -> None:
        super()._settings(checkout)
        file = checkout / "environments" / ENVIRONMENT / "environment.yaml"
        document = yaml.safe_load(file.read_text())
        document["kubernetes"]["controller"] = "deployment"
        file.write_text(yaml.safe_dump(document, sort_keys=False))


class Deployed(Applications):
    """Both Applications of a town, as its controller in the cluster says how far it is with them."""

    @property
    def slots(self) -> str:
        return "slipway-dev-slots"

    @property
    def edge(self) -> str:
        return "slipway-dev-edge"

    def look(self) -> None:
        """Nobody tells it: it looks by itself."""

    def kubectl(self, *words: str) -> str:
        return self.cluster.must("--namespace", self.suffix, *words)

    def states(self) -> dict[str, dict[str, Any]]:
        said = self.kubectl("get", "configmap", STATES, "--ignore-not-found", "--output=json")
        data = json.loads(said).get("data") or {} if said else {}
        found = [json.loads(text) for text in data.values()]
        return {one["application"]: one for one in found}

    def operation(self) -> dict[str, Any]:
        return self.states().get(self.slots, {})

    def revision(self) -> str:
        return str(self.operation().get("revision", ""))

    def results(self) -> dict[str, str]:
        return {
            one["resource"]: str(one.get("hook") or one["result"])
            for one in self.operation()["results"]
        }

    def wait(self, commit: str, seconds: float) -> None:
        """Until it is done with this commit, however that ended."""
        self.cluster.until(
            f"the controller is done with {commit[:12]}", lambda: self._all(commit), seconds
        )

    def _all(self, commit: str) -> bool:
        found = self.states()
        return len(found) == len(FILES) and all(
            one["revision"] == commit and one["phase"] not in ("", "Running")
            for one in found.values()
        )

    def log(self) -> str:
        return self.kubectl("logs", f"deployment/{DEPLOYMENT}", "--tail=2000")

    def pod(self) -> str:
        label = f"app.kubernetes.io/name={DEPLOYMENT}"
        return self.kubectl("get", "pods", "--selector", label, "--output=name").strip()


@contextmanager
def deployed(town: Town, password: str) -> Iterator[Deployed]:
    """Installed and ready, with the origin behind a login."""
    around = town.around
    here = own_address(town)
    with git_over_http.serve(town.origin, password, here) as port:
        url = f"http://{here}:{port}/{town.origin.name}"
        around.kubectl(
            "create", "secret", "generic", "git", "--type=kubernetes.io/basic-auth",
            f"--from-literal=username={git_over_http.USER}", f"--from-literal=password={password}",
        )  # fmt: skip
        _rights(town)
        _install(town, url, port)
        around.kubectl("rollout", "status", "deployment", DEPLOYMENT, "--timeout=90s", seconds=100)
        folder = town.cluster.folder
        assert folder is not None
        yield Deployed(town.cluster, folder, around.namespace)


def own_address(town: Town) -> str:
    """Of this machine on the way to the node: pods reach it there."""
    path = '--output=jsonpath={.items[0].status.addresses[?(@.type=="InternalIP")].address}'
    node = town.cluster.must("get", "nodes", path)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        way.connect((node, 9))
        return str(way.getsockname()[0])


def _rights(town: Town) -> None:
    words = [sys.executable, "scripts/kubernetes-rights", ENVIRONMENT, "--controller"]
    done = subprocess.run(
        words, cwd=town.slipway.checkout, capture_output=True, text=True, check=True
    )
    town.cluster.apply(done.stdout)


def _install(town: Town, url: str, port: int) -> None:
    environments = town.slipway.checkout / "environments"
    told = []
    for name, file in FILES.items():
        found = yaml.safe_load((environments / ENVIRONMENT / file).read_text())
        found["spec"]["destination"]["namespace"] = town.around.namespace
        made = town.folder / file
        made.write_text(yaml.safe_dump(found))
        told += ["--set-file", f"controller.applications.{name}={made}"]
    repository, tag = _engine(town)
    done = subprocess.run(
        [
            *(str(tools.program("helm")), "install", "controller", "charts/controller"),
            *("--kubeconfig", str(town.cluster.kubeconfig)),
            *("--namespace", town.around.namespace),
            *(f"--values=environments/{name}/values.yaml" for name in ("base", ENVIRONMENT)),
            *("--set", f"engineImage.repository={repository}", "--set-string"),
            *(f"engineImage.tag={tag}", "--set", f"controller.repository={url}"),
            *("--set", "controller.credentials.secret=git"),
            *("--set", f"controller.gitPorts={{{port}}}", *told),
        ],
        cwd=town.slipway.checkout,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def _engine(town: Town) -> tuple[str, str]:
    file = town.slipway.checkout / "environments" / ENVIRONMENT / "environment.yaml"
    found = yaml.safe_load(file.read_text())["kubernetes"]
    return found["engine_image"], found["engine_tag"]
