"""Making the local origin from a checkout, and moving `main` and `develop` forward with it."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.adapters import git_refs
from pipelines.adapters.files import write_whole, writing
from pipelines.adapters.git_command import Git, GitFailed
from pipelines.model.errors import BadInput, Unavailable

REMOTE = "slipway"
BRANCHES = ("main", "develop")

_INCOMING = "refs/slipway/incoming"
_NOTHING = "0" * 40

_HOOK = """#!/bin/sh
# Branches env/* say what runs: Slipway alone writes them, and not by pushing.
case "$1" in
refs/heads/env/*)
  environment=${1#refs/heads/env/}
  echo "slipway: $1 is written by Slipway alone; nothing was changed." >&2
  echo "slipway: to release:   slipway promote $environment" >&2
  echo "slipway: to go back:   slipway rollback $environment --reason '...'" >&2
  exit 1 ;;
esac
"""

# fsync: a branch that is empty after power loss would be a branch nobody can read.
_CONFIG = {
    "core.fsync": "committed,loose-object,reference",
    "core.fsyncMethod": "fsync",
    "gc.auto": "0",
    "receive.autogc": "false",
    "receive.shallowUpdate": "true",
    "receive.denyDeletes": "false",
}


@dataclass(frozen=True, slots=True)
class OriginChange:
    """What `init_origin` did, for people and for the audit. `refused`: why nothing was moved."""

    head: str
    created: bool
    moved: dict[str, tuple[str, str]] = field(default_factory=dict)
    refused: str = ""
    notes: tuple[str, ...] = ()


def init_origin(state: Path, checkout: Path) -> OriginChange:
    """`state/origin.git` exists afterwards. New: `main` and `develop` at the checkout's HEAD. There
    already: both move to HEAD when it descends from both, else neither.

    Shallow clones, detached HEADs, missing identities and dirty trees are fine. Raises BadInput
    when the checkout is no repository or has no commit."""
    person = Git(checkout, isolated=False)
    head = head_of(person)
    origin = state / "origin.git"
    created = not git_refs.reachable(origin)
    with writing(origin):
        if created:
            _create(state, origin)
        write_whole(origin / "hooks" / "update", _HOOK.encode(), mode=0o755)
    before = {name: git_refs.read_ref(origin, f"refs/heads/{name}") or "" for name in BRANCHES}
    moved, refused = _forward(person, origin, head, before)
    return OriginChange(head, created, moved, refused, _add_remote(person, origin))


def head_of(checkout: Git) -> str:
    """HEAD's commit id. Raises BadInput: no repository, or no commit in it."""
    try:
        return checkout.text("rev-parse", "--verify", "--quiet", "HEAD^{commit}")
    except GitFailed as error:
        if "not a git repository" in error.message:
            raise BadInput(
                f"{checkout.folder} is not a git repository", hint="git init, or clone it"
            ) from None
        raise BadInput(
            f"{checkout.folder} has no commits", hint="git add . && git commit -m 'First commit'"
        ) from None


def _create(state: Path, origin: Path) -> None:
    """Under another name first: a half-made origin must not look like one."""
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    making = state / ".origin.new"
    shutil.rmtree(making, ignore_errors=True)
    making.mkdir(mode=0o700)
    git = Git(making, isolated=True, bare=True)
    try:
        git.run("init", "--quiet", "--bare", "--template=", str(making))
        git.run("symbolic-ref", "HEAD", "refs/heads/main")
        for key, value in _CONFIG.items():
            git.run("config", key, value)
    except GitFailed as error:
        raise Unavailable(f"the origin {origin} could not be made: {error}") from error
    (making / "hooks").mkdir(exist_ok=True)
    shutil.rmtree(origin, ignore_errors=True)
    making.replace(origin)


def _forward(
    person: Git, origin: Path, head: str, before: dict[str, str]
) -> tuple[dict[str, tuple[str, str]], str]:
    """What moved, and why nothing did. Both or neither, forward only."""
    behind = {name: commit for name, commit in before.items() if commit != head}
    if not behind:
        return {}, ""
    git = Git(origin, isolated=True, bare=True)
    try:
        # One ref first: git fails to push two refs at once from a shallow clone.
        person.run(
            *("push", "--quiet", "--no-verify", str(origin), f"+{head}:{_INCOMING}"), seconds=120
        )
        if not all(_descends(git, head, commit) for commit in before.values() if commit):
            where = ", ".join(f"{name} is at {commit[:12]}" for name, commit in before.items())
            return {}, (
                f"HEAD {head[:12]} does not descend from main and develop ({where}):"
                " neither was moved"
            )
        lines = [f"update refs/heads/{n} {head} {c or _NOTHING}" for n, c in behind.items()]
        script = "\n".join(["start", *lines, "prepare", "commit", ""])
        git.run("update-ref", "--stdin", stdin=script.encode())
    except GitFailed as error:
        raise Unavailable(f"the origin {origin} was not moved: {error}") from error
    return {name: (commit, head) for name, commit in behind.items()}, ""


def _descends(git: Git, head: str, ancestor: str) -> bool:
    try:
        git.run("merge-base", "--is-ancestor", ancestor, head)
    except GitFailed as error:
        if error.code == 1:
            return False
        raise
    return True


def _add_remote(person: Git, origin: Path) -> tuple[str, ...]:
    """A convenience: without it everything works, so it never fails."""
    try:
        there = person.text("config", "--get", f"remote.{REMOTE}.url")
    except GitFailed:
        with suppress(GitFailed):
            person.run("remote", "add", REMOTE, str(origin))
            return (f"remote {REMOTE} added: {origin}",)
        return (f"remote {REMOTE} could not be added: is the checkout read-only?",)
    if there != str(origin):
        return (f"remote {REMOTE} is {there} and was left alone; this origin is {origin}",)
    return ()
