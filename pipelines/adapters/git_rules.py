"""What the guard asks the origin: the rules on `main`, and on which branches a source lies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipelines.adapters.git_command import Git, GitFailed
from pipelines.adapters.git_files import committed_text, folders_in
from pipelines.model.errors import BadInput
from pipelines.model.source import PARTS

_BRANCHES = tuple(
    f"refs/heads/{name}" for name in ("main", "develop", "feature", "release", "hotfix")
)
_SHARED = ("main", "develop")
_FAR_BACK = 300


def policy_text(git: Git, main: str, rule: str) -> str | None:
    """`policies/<rule>/policy.yaml` of a commit; None when it has no folder `policies` at all.
    Raises BadInput when the folder is there and the file is not; GitFailed."""
    path = f"policies/{rule}/policy.yaml"
    text = committed_text(git, main, path)
    if text is None and folders_in(git, main, "policies"):
        raise BadInput(
            f"{path} is missing on main: nobody can say what a promotion demands",
            hint=f"bring it back: git checkout <commit> -- {path}",
        )
    return text


def branches_with(git: Git, commit: str, parts: Mapping[str, str]) -> Sequence[str]:
    """Branches of people that contain the commit; `main` and `develop` also when they have, along
    their first parents, a commit with the very same trees: what was rebased or squashed on its way
    is the same source. Sorted. Raises GitFailed."""
    found = set(_containing(git, commit))
    wanted = {name: parts[name].removeprefix("git:") for name in PARTS if name in parts}
    refs = [f"refs/heads/{name}" for name in _SHARED if name not in found]
    if refs and wanted:
        heads = git.text("for-each-ref", "--format=%(refname:strip=2) %(objectname)", *refs)
        for name, _, head in (line.partition(" ") for line in heads.splitlines()):
            if _has_source(git, head, wanted):
                found.add(name)
    return sorted(found)


def _containing(git: Git, commit: str) -> list[str]:
    try:
        out = git.text(
            "for-each-ref", "--format=%(refname:strip=2)", "--contains", commit, *_BRANCHES
        )
    except GitFailed as error:
        if "no such commit" in error.message or "malformed object" in error.message:
            return []
        raise
    return out.split()


def _has_source(git: Git, head: str, wanted: Mapping[str, str]) -> bool:
    commits = git.text("rev-list", "--first-parent", f"--max-count={_FAR_BACK}", head).split()
    names = [f"{commit}:{part}" for commit in commits for part in PARTS]
    lines = git.text(
        "cat-file", "--batch-check=%(objectname)", stdin="\n".join(names).encode()
    ).splitlines()
    for start in range(0, len(lines), len(PARTS)):
        there = dict(zip(PARTS, lines[start : start + len(PARTS)], strict=True))
        if {part: tree for part, tree in there.items() if not tree.endswith(" missing")} == wanted:
            return True
    return False
