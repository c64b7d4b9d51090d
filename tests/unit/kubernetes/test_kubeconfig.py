"""Choosing a context of a kubeconfig, and what is refused in one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from pipelines.adapters.kubernetes.connection import connect
from pipelines.adapters.kubernetes.kubeconfig import chosen
from pipelines.model.errors import BadInput, Unavailable


def written(path: Path, **changed: Any) -> Path:
    document = {
        "current-context": "test",
        "contexts": [
            {"name": "test", "context": {"cluster": "one", "user": "me", "namespace": "shop"}},
            {"name": "lost", "context": {"cluster": "nowhere", "user": "me"}},
        ],
        "clusters": [{"name": "one", "cluster": {"server": "https://one.example:6443"}}],
        "users": [{"name": "me", "user": {"token": "open-sesame"}}],
        **changed,
    }
    path.write_text(json.dumps(document))
    return path


def test_the_current_context_is_taken_without_a_name(tmp_path: Path) -> None:
    found = connect(kubeconfig=written(tmp_path / "config"))
    assert found.url == "https://one.example:6443"
    assert found.namespace == "shop"
    assert found.token() == "open-sesame"


def test_a_token_is_never_shown(tmp_path: Path) -> None:
    assert "open-sesame" not in repr(connect(kubeconfig=written(tmp_path / "config")))


def test_a_context_that_is_missing_is_refused_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match=r"no context 'prod'.*it has lost, test"):
        chosen("prod", written(tmp_path / "config"))


def test_a_context_whose_cluster_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="no cluster 'nowhere'"):
        chosen("lost", written(tmp_path / "config"))


def test_several_files_are_one_and_the_first_wins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = written(tmp_path / "a", contexts=[], **{"current-context": "test"})
    second = written(tmp_path / "b", users=[{"name": "me", "user": {"token": "second"}}])
    monkeypatch.setenv("KUBECONFIG", f"{first}:{second}:{tmp_path / 'missing'}")
    assert chosen("", None).user == {"token": "open-sesame"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("]", "not YAML"),
        ("- a", "not a mapping"),
        ("{}", "no current context"),
        ("contexts: [{name: x, context: []}]\ncurrent-context: x", "not a mapping"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, text: str, words: str) -> None:
    path = tmp_path / "config"
    path.write_text(text)
    with pytest.raises(BadInput, match=words):
        chosen("", path)


def test_a_file_that_is_missing_is_refused_with_its_name(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="absent"):
        chosen("", tmp_path / "absent")


def test_certificates_that_are_no_base64_are_refused_without_being_shown(tmp_path: Path) -> None:
    users = [{"name": "me", "user": {"client-key-data": "secret!", "client-certificate-data": "x"}}]
    with pytest.raises(BadInput, match="not base64") as refused:
        connect(kubeconfig=written(tmp_path / "config", users=users))
    assert "secret!" not in str(refused.value)


def test_a_token_file_is_read_again_when_it_is_needed(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("first\n")
    users = [{"name": "me", "user": {"tokenFile": "token"}}]
    found = connect(kubeconfig=written(tmp_path / "config", users=users))
    assert found.token() == "first"
    (tmp_path / "token").unlink()
    assert found.token() == "first", "for a while"
    users = [{"name": "me", "user": {"tokenFile": "gone"}}]
    with pytest.raises(Unavailable, match="gone"):
        connect(kubeconfig=written(tmp_path / "config", users=users)).token()


def test_a_login_program_is_asked_for_the_token(tmp_path: Path) -> None:
    credential = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "kind": "ExecCredential",
        "status": {"token": "from-a-program"},
    }
    call = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": "echo",
        "args": [json.dumps(credential)],
        "interactiveMode": "Never",
    }
    users = [{"name": "me", "user": {"exec": call}}]
    found = connect(kubeconfig=written(tmp_path / "config", users=users))
    assert found.token() == "from-a-program"


def test_a_login_program_that_fails_is_unavailable(tmp_path: Path) -> None:
    call = {"apiVersion": "client.authentication.k8s.io/v1", "command": "false", "args": []}
    users = [{"name": "me", "user": {"exec": call}}]
    with pytest.raises(Unavailable, match="logging in to context test failed"):
        connect(kubeconfig=written(tmp_path / "config", users=users)).token()
