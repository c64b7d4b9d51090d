"""A branch of a repository elsewhere, by real git over HTTP: login, commits, trouble."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines.adapters import git_mirror
from pipelines.adapters.git_credentials import variables
from pipelines.adapters.git_mirror import GitMirror
from pipelines.model.errors import BadInput, Unavailable
from tests.kubernetes.git_over_http import USER, serve

PASSWORD = "a word that is in no argument"
WHO = ("-c", "user.name=Test", "-c", "user.email=test@example.org")


@dataclass
class Host:
    """A repository with a branch `env/dev`; `address` asks for a login."""

    work: Path
    bare: Path
    address: str
    login: Path

    def commit(self, files: dict[str, str], *options: str) -> str:
        for name, text in files.items():
            file = self.work / name
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
        self.git("add", "--all")
        self.git(*WHO, "commit", "--quiet", "--message", "Change", *options)
        self.git("push", "--quiet", "--force", str(self.bare), "HEAD:env/dev")
        return self.git("rev-parse", "HEAD")

    def git(self, *words: str) -> str:
        done = subprocess.run(
            ["git", "-C", str(self.work), *words], check=True, capture_output=True, text=True
        )
        return done.stdout.strip()

    def mirror(self, folder: Path) -> GitMirror:
        return GitMirror(self.address, "env/dev", folder, self.login)


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    work, bare, login = tmp_path / "work", tmp_path / "origin.git", tmp_path / "login"
    for words in (["init", "-q", str(work)], ["init", "-q", "--bare", str(bare)]):
        subprocess.run(["git", *words], check=True, capture_output=True)
    login.mkdir()
    (login / "username").write_text(f"{USER}\n")
    (login / "password").write_text(f"{PASSWORD}\n")
    with serve(bare, PASSWORD) as port:
        yield Host(work, bare, f"http://127.0.0.1:{port}/origin.git", login)


def test_a_branch_is_followed_commit_by_commit(host: Host, tmp_path: Path) -> None:
    mirror = host.mirror(tmp_path / "mirror")
    assert mirror.head() is None
    first = host.commit({"slots/blue/a.yaml": "a: 1"})
    assert (mirror.head(), mirror.fetch()) == (first, first)
    second = host.commit({"slots/green/b.yml": "b: 1", "slots/note.txt": "x"})
    assert mirror.fetched() == first
    assert (mirror.head(), mirror.fetch()) == (second, second)
    assert mirror.files(second, "slots", recurse=True) == [
        ("slots/blue/a.yaml", b"a: 1"),
        ("slots/green/b.yml", b"b: 1"),
    ]
    assert mirror.files(second, "./slots/green/", recurse=False) == [("slots/green/b.yml", b"b: 1")]
    assert mirror.files(second, "slots", recurse=False) == []


def test_a_branch_that_was_rewritten_is_followed_as_well(host: Host, tmp_path: Path) -> None:
    mirror = host.mirror(tmp_path / "mirror")
    host.commit({"slots/a.yaml": "a: 1"})
    mirror.fetch()
    other = host.commit({"slots/a.yaml": "a: 2"}, "--amend")
    assert mirror.fetch() == other
    assert mirror.files(other, "slots", recurse=True) == [("slots/a.yaml", b"a: 2")]


def test_a_hundred_commits_leave_no_hundred_copies(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_mirror, "TIDY_EVERY", 4)
    mirror = host.mirror(tmp_path / "mirror")
    for number in range(4):
        noise = os.urandom(100_000).hex()
        newest = host.commit({"slots/a.yaml": f"a: {number} # {noise}"})
        mirror.fetch()
    size = sum(one.stat().st_size for one in (tmp_path / "mirror").rglob("*") if one.is_file())
    assert size < 300_000
    assert mirror.files(newest, "slots", recurse=True)


def test_what_was_fetched_stays_while_the_host_is_away(host: Host, tmp_path: Path) -> None:
    commit = host.commit({"slots/a.yaml": "a: 1"})
    host.mirror(tmp_path / "mirror").fetch()
    host.bare.rename(host.bare.with_name("away.git"))
    again = host.mirror(tmp_path / "mirror")
    with pytest.raises(Unavailable, match="git ls-remote"):
        again.head()
    assert again.fetched() == commit
    assert again.files(commit, "slots", recurse=True) == [("slots/a.yaml", b"a: 1")]


@pytest.mark.parametrize("password", ["wrong", ""])
def test_a_login_that_is_refused_is_said_and_asks_nobody(
    host: Host, tmp_path: Path, password: str
) -> None:
    (host.login / "password").write_text(password)
    with pytest.raises(Unavailable) as said:
        host.mirror(tmp_path / "mirror").head()
    assert "127.0.0.1" in said.value.message


def test_a_new_password_counts_at_once(host: Host, tmp_path: Path) -> None:
    commit = host.commit({"slots/a.yaml": "a: 1"})
    mirror = host.mirror(tmp_path / "mirror")
    (host.login / "password").write_text("old")
    with pytest.raises(Unavailable):
        mirror.head()
    (host.login / "password").write_text(PASSWORD)
    assert mirror.head() == commit


def test_a_folder_that_is_not_there_is_refused(host: Host, tmp_path: Path) -> None:
    commit = host.commit({"slots/a.yaml": "a: 1"})
    mirror = host.mirror(tmp_path / "mirror")
    mirror.fetch()
    with pytest.raises(BadInput, match="edge: no such folder"):
        mirror.files(commit, "edge", recurse=True)


def test_manifests_without_end_are_refused_before_they_are_read(
    host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(git_mirror, "MAX_BYTES", 10)
    commit = host.commit({"slots/a.yaml": "a: 1 # and more"})
    mirror = host.mirror(tmp_path / "mirror")
    mirror.fetch()
    with pytest.raises(BadInput, match="15 bytes of manifests, at most 10"):
        mirror.files(commit, "slots", recurse=True)


def test_a_host_that_does_not_answer_is_given_up_with_git_s_helpers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(GitMirror._ask, "__kwdefaults__", {"seconds": 1.0})
    with socket.create_server(("127.0.0.1", 0)) as silent:
        port = silent.getsockname()[1]
        mirror = GitMirror(f"http://127.0.0.1:{port}/x.git", "env/dev", tmp_path / "mirror")
        began = time.monotonic()
        with pytest.raises(Unavailable, match="did not end within 1 s"):
            mirror.head()
        assert time.monotonic() - began < 5
    said = subprocess.run(
        ["pgrep", "--full", f"127.0.0.1:{port}/x.git"], capture_output=True, text=True, check=False
    )
    assert said.stdout == ""


def test_an_address_with_a_password_is_refused_and_not_repeated() -> None:
    with pytest.raises(BadInput) as said:
        GitMirror("https://ada:hidden@example.org/x.git", "env/dev", Path("/nowhere"))
    assert "hidden" not in str(said.value)


@pytest.mark.parametrize("address", ["", "--upload-pack=x"])
def test_what_is_no_address_is_refused(address: str) -> None:
    with pytest.raises(BadInput, match="no address"):
        GitMirror(address, "env/dev", Path("/nowhere"))


# --- credentials -----------------------------------------------------------------------------
def test_no_secret_comes_into_git_s_environment(host: Host) -> None:
    assert PASSWORD not in str(variables(host.login))


def test_a_key_counts_only_with_the_host_s_own(tmp_path: Path) -> None:
    (tmp_path / "ssh-privatekey").write_text("key")
    with pytest.raises(BadInput, match="no known_hosts"):
        variables(tmp_path)
    (tmp_path / "known_hosts").write_text("hosts")
    command = variables(tmp_path)["GIT_SSH_COMMAND"]
    assert f"-i {tmp_path}/ssh-privatekey" in command
    assert f"UserKnownHostsFile={tmp_path}/known_hosts" in command
    assert "StrictHostKeyChecking=yes" in command
    assert "BatchMode=yes" in command


def test_an_authority_of_ones_own_is_trusted(tmp_path: Path) -> None:
    (tmp_path / "ca.crt").write_text("certificate")
    assert str(tmp_path / "ca.crt") in variables(tmp_path).values()


def test_a_folder_that_says_nothing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="has no credentials"):
        variables(tmp_path)
