"""`slipway plan --live` with a release that was rendered: all it sets was set before."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.cli.commands import run

CONTAINER: dict[str, Any] = {"name": "web", "image": "web:1"}
NEW: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {"template": {"spec": {"containers": [CONTAINER]}}},
}
POD = "/spec/template/spec/containers/0"
SECRET = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}


def older() -> dict[str, Any]:
    body = copy.deepcopy(NEW)
    body["metadata"]["labels"] = {"release": "old"}
    body["spec"]["paused"] = True
    (container,) = body["spec"]["template"]["spec"]["containers"]
    container["env"] = [{"name": "DEBUG", "value": "1"}]
    container["securityContext"] = {"privileged": True}
    return body


def planned(
    folder: Path, capsys: pytest.CaptureFixture[str], new: dict[str, Any], old: dict[str, Any]
) -> list[dict[str, Any]]:
    for name, body in (("new", new), ("old", old)):
        (folder / f"{name}.json").write_text(json.dumps(body))
    files = ["-f", str(folder / "new.json"), "--live", str(folder / "old.json")]
    assert run(["plan", *files, "--output", "json"]) == 0
    (step,) = json.loads(capsys.readouterr().out)["steps"]
    return list(step["changes"])


def test_what_a_rendered_release_set_and_the_new_one_does_not_goes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    changes = planned(tmp_path, capsys, NEW, older())
    assert [(change["path"], change["new"]) for change in changes] == [
        ("/metadata/labels", None),
        ("/spec/paused", None),
        (f"{POD}/env", None),
        (f"{POD}/securityContext", None),
    ]


@pytest.mark.parametrize(
    "written",
    [{"uid": "1"}, {"resourceVersion": "1"}, {"creationTimestamp": "2026-01-01T00:00:00Z"}],
)
def test_what_a_server_wrote_to_is_no_rendered_release(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], written: dict[str, str]
) -> None:
    old = older()
    old["metadata"] |= written
    assert planned(tmp_path, capsys, NEW, old) == []


def test_a_key_of_a_rendered_secret_goes_without_its_value_being_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    texts: list[dict[str, str]] = [{"a": "1"}, {"a": "1", "b": "2"}]
    new, old = ({**SECRET, "stringData": text} for text in texts)
    (change,) = planned(tmp_path, capsys, new, old)
    assert (change["path"], change["old"], change["new"]) == ("/data/b", "********", None)


def test_a_release_compared_with_itself_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    secret = {**SECRET, "stringData": {"a": "1"}}
    assert planned(tmp_path, capsys, secret, secret) == []


def test_an_empty_value_that_no_server_kept_need_not_go(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    old = {**older(), "metadata": {"name": "web", "annotations": {}}}
    old["spec"] = {**old["spec"], "strategy": {}, "minReadySeconds": 0}
    assert planned(tmp_path, capsys, {**older(), "metadata": {"name": "web"}}, old) == []
