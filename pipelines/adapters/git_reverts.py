"""`git revert` on `env/<env>`: a commit by hand that brings back, byte for byte, what Slipway wrote before.

Nothing runs through it that did not run before, so it may be followed. Whatever else is written by
hand there is foreign.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress

from pipelines.adapters.git_command import Git
from pipelines.adapters.git_objects import Commit, parse_commit, read_objects
from pipelines.model.errors import BadInput

ENVIRONMENT_TRAILER = "Slipway-Environment"
RELEASE_FILE = "release.yaml"
_OURS = "Slipway-"
_FAR_BACK = 200


def not_written(commit: Commit) -> str:
    return f"{commit.id} ({commit.subject!r}) was not written by Slipway"


def why_foreign(git: Git, environment: str, commit: Commit) -> str:
    """Empty for a commit that only goes back: one parent, the files of an older commit of Slipway's, and
    every hold that there was. Raises GitFailed."""
    if len(commit.parents) != 1 or any(name.startswith(_OURS) for name in commit.trailers):
        return not_written(commit)
    (parent,) = commit.parents
    older = git.text("rev-list", "--first-parent", f"--max-count={_FAR_BACK}", parent).split()
    ours = _written_by_slipway(git, environment, older)
    wanted, current, *trees = _trees(git, [commit.id, parent, *ours])
    if wanted == current or wanted not in trees:
        return not_written(commit)
    lifted = sorted(_held(git, parent) - _held(git, commit.id))
    if lifted:
        return (
            f"{not_written(commit)}: it goes back to {ours[trees.index(wanted)][:12]}, but would lift"
            f" the hold of {', '.join(lifted)}"
        )
    return ""


def why_not_back(git: Git, environment: str, old: str, new: str) -> str:
    """As `why_foreign` of everything that would come onto the branch at `old`."""
    commits = git.text("rev-list", "--reverse", f"--max-count={_FAR_BACK}", new, f"^{old}").split()
    at = old
    for commit in _commits(git, commits):
        if commit.parents != (at,):
            return f"{commit.id} does not follow {at}"
        problem = why_foreign(git, environment, commit)
        if problem:
            return problem
        at = commit.id
    return "" if at == new and commits else f"{new} does not follow {old}"


def _commits(git: Git, names: Sequence[str]) -> list[Commit]:
    return [parse_commit(*found) for found in read_objects(git, names) if found is not None]


def _written_by_slipway(git: Git, environment: str, names: Sequence[str]) -> list[str]:
    return [
        commit.id
        for commit in _commits(git, names)
        if commit.trailers.get(ENVIRONMENT_TRAILER) == environment
    ]


def _trees(git: Git, commits: Sequence[str]) -> list[str]:
    lines = "".join(f"{commit}^{{tree}}\n" for commit in commits)
    said = git.text("cat-file", "--batch-check=%(objectname)", stdin=lines.encode())
    return said.splitlines()


def _held(git: Git, commit: str) -> set[str]:
    from pipelines.model import release_yaml  # late: YAML is not needed to read a branch of ours

    found = read_objects(git, [f"{commit}:{RELEASE_FILE}"])[0]
    if found is None:
        return set()
    with suppress(BadInput):  # whoever reads the branch says what is wrong with it
        state = release_yaml.parse(found[1].decode("utf-8", "replace"), RELEASE_FILE)
        return {hold.release for hold in state.holds}
    return set()
