"""What `slipway controller ENV --in-cluster` refuses before it asks anybody anything; its probes."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipelines.adapters.health_server import serve
from pipelines.cli.commands import run
from pipelines.controller.in_cluster import InCluster
from pipelines.model.errors import BadInput, Unavailable
from pipelines.wiring_in_cluster import read_applications

ROOT = Path(__file__).resolve().parents[3]
SLOTS, EDGE = (
    ROOT / "environments" / "dev" / name for name in ("application.yaml", "application-edge.yaml")
)


def changed(folder: Path, *, name: str = "changed.yaml", **spec: Any) -> Path:
    """The slots' Application with other parts of its spec."""
    found = yaml.safe_load(SLOTS.read_text())
    for part, value in spec.items():
        if isinstance(value, dict) and isinstance(found["spec"].get(part), dict):
            found["spec"][part] |= value
        else:
            found["spec"][part] = value
    file = folder / name
    file.write_text(yaml.safe_dump(found))
    return file


def refusal(capsys: pytest.CaptureFixture[str], *words: str) -> str:
    assert run(["controller", "dev", *words, "--output", "json"]) == 2
    return str(json.loads(capsys.readouterr().out)["error"]["message"])


def test_the_shipped_applications_are_taken_for_their_environment() -> None:
    found = read_applications([SLOTS, EDGE], "dev", "https://git.example.org/x.git")
    assert [(one.path, one.revision) for one in found] == [
        ("slots", "env/dev"),
        ("edge", "env/dev"),
    ]
    assert {one.repository for one in found} == {"https://git.example.org/x.git"}


def test_another_environment_s_branch_is_refused() -> None:
    with pytest.raises(BadInput, match="'env/dev' is not the branch of staging"):
        read_applications([SLOTS], "staging", "")


def test_another_cluster_is_refused(tmp_path: Path) -> None:
    file = changed(tmp_path, destination={"server": "https://192.0.2.1:6443"})
    with pytest.raises(BadInput, match="another cluster"):
        read_applications([file], "dev", "")


def test_an_application_that_waits_for_a_person_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="automated is not on"):
        read_applications([changed(tmp_path, syncPolicy=None)], "dev", "")


def test_two_of_one_name_or_of_one_folder_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"one metadata\.name"):
        read_applications([SLOTS, changed(tmp_path, source={"path": "other"})], "dev", "")


def test_two_repositories_are_refused_unless_one_is_given(tmp_path: Path) -> None:
    found = yaml.safe_load(EDGE.read_text())
    found["spec"]["source"]["repoURL"] = "https://git.example.org/other.git"
    other = tmp_path / "other.yaml"
    other.write_text(yaml.safe_dump(found))
    with pytest.raises(BadInput, match="repoURL differs"):
        read_applications([SLOTS, other], "dev", "")
    assert len(read_applications([SLOTS, other], "dev", "https://git.example.org/x.git")) == 2


@pytest.mark.parametrize("text", ["", "a: [", "kind: Secret", "\0"])
def test_a_file_that_is_no_application_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "broken.yaml"
    file.write_text(text)
    with pytest.raises(BadInput, match=r"broken\.yaml"):
        read_applications([file], "dev", "")


def test_without_an_application_it_says_what_to_type(capsys: pytest.CaptureFixture[str]) -> None:
    assert refusal(capsys, "--in-cluster") == "no Application is named"


def test_a_missing_file_is_named(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    missing = str(tmp_path / "missing.yaml")
    assert missing in refusal(capsys, "--in-cluster", "--application", missing)


@pytest.mark.parametrize("word", ["application", "repository", "credentials", "listen"])
def test_what_says_nothing_outside_a_cluster_is_refused(
    capsys: pytest.CaptureFixture[str], word: str
) -> None:
    said = refusal(capsys, f"--{word}", "something")
    assert said == f"--{word} is for a controller inside its cluster"


def test_who_observes_is_not_who_syncs(capsys: pytest.CaptureFixture[str]) -> None:
    assert "exclude each other" in refusal(capsys, "--in-cluster", "--observe")


# --- probes ------------------------------------------------------------------------------------
def ask(port: int, path: str) -> tuple[int, str]:
    try:
        with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
            return answer.status, answer.read().decode()
    except urllib.error.HTTPError as refused:
        return refused.code, refused.read().decode()


def test_probes_are_answered_with_what_is_wrong() -> None:
    port = serve("127.0.0.1:0", live=lambda: "", ready=lambda: "not read yet: slots")
    assert ask(port, "/health/live") == (200, "ok")
    assert ask(port, "/health/ready") == (503, "not read yet: slots")
    assert ask(port, "/metrics")[0] == 404
    with pytest.raises(Unavailable, match=f"127.0.0.1:{port}"):
        serve(f"127.0.0.1:{port}", live=lambda: "", ready=lambda: "")


@pytest.mark.parametrize("listen", ["8080", "a:b", "127.0.0.1:99999", ":"])
def test_what_is_no_address_is_refused(listen: str) -> None:
    with pytest.raises(BadInput, match="is no address"):
        serve(listen, live=lambda: "", ready=lambda: "")


class Still:
    """A thread's Application that came by long ago."""

    def __init__(self, name: str, beat: float, *, known: bool, broken: str = "") -> None:
        self.name, self.beat, self.known, self._broken = name, beat, known, broken

    def broken(self) -> str:
        return self._broken


def test_a_thread_that_hangs_makes_the_pod_start_anew() -> None:
    now = threading.TIMEOUT_MAX  # later than every monotonic clock
    told: Any = [Still("slots", now, known=True), Still("edge", -1e9, known=False)]
    branch: Any = None
    controller = InCluster(branch, told, threading.Event(), lambda words: None)
    assert controller.live() == "nothing moves any more: edge"
    assert controller.ready() == "not read yet: edge"


def test_a_self_heal_that_ended_makes_the_pod_start_anew() -> None:
    now = threading.TIMEOUT_MAX
    told: Any = [Still("slots", now, known=True, broken="self-heal has ended")]
    branch: Any = None
    controller = InCluster(branch, told, threading.Event(), lambda words: None)
    assert controller.live() == "slots: self-heal has ended"
