"""Making the local origin from a checkout, and moving `main` and `develop` forward with it."""

from __future__ import annotations

import shutil
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from pipelines.adapters import git_merge, git_refs, origin_hooks
from pipelines.adapters.files import write_whole, writing
from pipelines.adapters.git_command import Git, GitFailed
from pipelines.model.errors import BadInput, Unavailable

REMOTE = "slipway"
BRANCHES = ("main", "develop")

_INCOMING = "refs/slipway/incoming"
# No hook judges what is no branch of anybody: neither a push nor an engine are there yet.
_UNJUDGED = "--receive-pack=git -c core.hooksPath=/dev/null receive-pack"

# fsync: a branch that is empty after power loss would be a branch nobody can read.
_CONFIG = {
    "core.fsync": "committed,loose-object,reference",
    "core.fsyncMethod": "fsync",
    "gc.auto": "0",
    "receive.autogc": "false",
    "receive.shallowUpdate": "true",
    "receive.denyDeletes": "false",
    "core.hooksPath": "hooks",  # a person's own setting would put other hooks in their place
    "receive.denyDeleteCurrent": "ignore",  # the hook refuses it, in better words
}


@dataclass(frozen=True, slots=True)
class OriginChange:
    """What `init_origin` did, for people and for the audit. `refused`: why nothing was moved;
    `left`: why nothing was to be moved."""

    head: str
    created: bool
    moved: dict[str, tuple[str, str]] = field(default_factory=dict)
    refused: str = ""
    notes: tuple[str, ...] = ()
    left: str = ""


def init_origin(state: Path, checkout: Path) -> OriginChange:
    """`state/origin.git` exists afterwards, with its hooks. New: `main` and `develop` at the
    checkout's HEAD. There already: both move to HEAD when the checkout is on `main` and HEAD
    descends from both, else neither.

    Shallow clones, detached HEADs, missing identities and dirty trees are fine. Raises BadInput
    when the checkout is no repository or has no commit."""
    person = Git(checkout, isolated=False)
    head = head_of(person)
    origin = state / "origin.git"
    created = not git_refs.reachable(origin)
    with writing(origin):
        if created:
            _create(state, origin)
        for name, text in origin_hooks.HOOKS.items():
            write_whole(origin / "hooks" / name, text.encode(), mode=0o755)
    _configure(origin)
    before = {name: git_refs.read_ref(origin, f"refs/heads/{name}") or "" for name in BRANCHES}
    left = "" if created or not any(before.values()) else _elsewhere(person)
    moved, refused = ({}, "") if left else _forward(person, origin, head, before)
    return OriginChange(head, created, moved, refused, _add_remote(person, origin), left)


def _elsewhere(person: Git) -> str:
    """Why the checkout's HEAD is nothing for `main` and `develop`; empty on branch `main`."""
    try:
        branch = person.text("symbolic-ref", "--quiet", "--short", "HEAD")
    except GitFailed:
        branch = ""
    if branch == "main":
        return ""
    where = f"on {branch}" if branch else "on no branch"
    return f"the checkout is {where}: main and develop move only when it is on main"


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
    except GitFailed as error:
        raise Unavailable(f"the origin {origin} could not be made: {error}") from error
    (making / "hooks").mkdir(exist_ok=True)
    shutil.rmtree(origin, ignore_errors=True)
    making.replace(origin)


def _configure(origin: Path) -> None:
    """Also of an origin that an older engine made."""
    git = Git(origin, isolated=True, bare=True)
    try:
        there = dict(
            line.partition("\n")[::2]
            for line in git.run("config", "--list", "-z").decode("utf-8", "replace").split("\0")
        )
        for key, value in _CONFIG.items():
            if there.get(key.lower()) != value:
                git.run("config", key, value)
    except GitFailed as error:
        raise Unavailable(f"the origin {origin} could not be configured: {error}") from error


def _forward(
    person: Git, origin: Path, head: str, before: dict[str, str]
) -> tuple[dict[str, tuple[str, str]], str]:
    """What moved, and why nothing did. Both or neither, forward only. A develop that is ahead of
    the same main is as it should be."""
    behind = {name: commit for name, commit in before.items() if commit != head}
    git = Git(origin, isolated=True, bare=True)
    try:
        if not behind or (before["main"] == head and _descends(git, before["develop"], head)):
            return {}, ""
        # One ref first: git fails to push two refs at once from a shallow clone.
        person.run(
            *("push", "--quiet", "--no-verify", _UNJUDGED, str(origin), f"+{head}:{_INCOMING}"),
            seconds=120,
        )
        if not all(_descends(git, head, commit) for commit in before.values() if commit):
            where = ", ".join(f"{name} is at {commit[:12]}" for name, commit in before.items())
            return {}, (
                f"HEAD {head[:12]} does not descend from main and develop ({where}):"
                " neither was moved; bring it in as a branch: git push slipway HEAD:refs/heads/feature/NAME"
            )
        git_merge.move_refs(git, [(f"refs/heads/{n}", head, c) for n, c in behind.items()])
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
