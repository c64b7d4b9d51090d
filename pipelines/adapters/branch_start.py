"""Where a branch left `main` and `develop`: which of them contain what it was built upon."""

from __future__ import annotations

from collections.abc import Mapping

from pipelines.adapters.git_command import Git, GitFailed


def starts_from(git: Git, head: str, tips: Mapping[str, str]) -> tuple[str, ...]:
    """Of `tips` (branch → commit): `main` when it contains every commit at which `head` leaves them
    all, another branch when it contains one of them. So what took in something of develop does not
    start from main alone. Empty: the histories never met. Raises GitFailed."""
    if not tips:
        return ()
    edges = _edges(git, head, list(tips.values()))
    found = []
    for branch, tip in tips.items():
        inside = [_contains(git, tip, edge) for edge in edges]
        if (all(inside) and inside) if branch == "main" else any(inside):
            found.append(branch)
    return tuple(found)


def _edges(git: Git, head: str, tips: list[str]) -> list[str]:
    """Boundary of what only `head` has; `head` itself when it has nothing of its own."""
    out = git.text("rev-list", "--boundary", head, *(f"^{tip}" for tip in tips)).splitlines()
    if not out:
        return [head]
    return [line[1:] for line in out if line.startswith("-")]


def _contains(git: Git, tip: str, commit: str) -> bool:
    try:
        git.run("merge-base", "--is-ancestor", commit, tip)
    except GitFailed as error:
        if error.code == 1:
            return False
        raise
    return True
