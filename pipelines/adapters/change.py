"""From git to a `Change`: head against the point where it left its target. Reads, never writes."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pipelines.adapters.branch_start import starts_from
from pipelines.adapters.git_command import Git, GitFailed
from pipelines.adapters.git_origin_setup import head_of
from pipelines.adapters.tree_export import Trees
from pipelines.model.check import Change, ChangedFile, CommitFact
from pipelines.model.errors import BadInput

MOST_COMMITS = 2000
_TO_MAIN = ("hotfix/", "release/")
_COMMIT_FIELDS = 5


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a person or the controller asks to judge. `commit` and `base` are anything git
    understands, `base` empty: where it left the target. `branch` empty: the one checked out."""

    commit: str = "HEAD"
    branch: str = ""
    base: str = ""
    target: str = ""
    everything: bool = False
    pull_request: str | None = None


def target_of(branch: str) -> str:
    """Where a branch is merged to, by its name alone; the policy stage judges the name."""
    return "main" if branch.startswith(_TO_MAIN) or branch == "main" else "develop"


class Changes:
    """Reads changes of one repository: a checkout, or (bare) an origin.

    `origin` is an installation's, when there is one: its branches are the targets, and its objects
    are readable beside the checkout's without copying any. `parts` as of `tree_export.Trees`.
    """

    def __init__(
        self,
        repository: Path,
        trees: Path,
        *,
        origin: Path | None = None,
        bare: bool = False,
        parts: Sequence[str] = (),
    ) -> None:
        self._repository = repository
        self._origin = Git(origin, isolated=True, bare=True) if origin else None
        self._bare = bare
        self._trees = Trees(trees, parts)
        variables = {"GIT_ALTERNATE_OBJECT_DIRECTORIES": f"{origin}/objects"} if origin else {}
        self._git = Git(repository, isolated=True, bare=bare, variables=variables)

    @property
    def git(self) -> Git:
        """The repository with all objects that a change may need, for whoever reads its history."""
        return self._git

    def read(self, wanted: Wanted) -> tuple[Change, tuple[str, ...]]:
        """The change and notes for people. Raises BadInput: no repository, no commit, an unknown
        name, no common history, a link, a submodule or a huge file in head."""
        head = self._head(wanted.commit)
        branch = wanted.branch or self._branch(head)
        target = wanted.target or target_of(branch)
        tip = self._tip(target, wanted.base)
        against = self._commit(wanted.base) if wanted.base else tip
        base, notes = self._base(head, against, wanted.base or target)
        files = self._files(base, head)
        if not files and not wanted.everything:
            notes = (*notes, f"{head[:12]} changes nothing against {target}: nothing to judge")
        change = Change(
            branch=branch,
            target=target,
            head=self._trees.export(self._git, head, strict=True),
            base=self._trees.export(self._git, base, strict=False),
            rules=self._trees.export(self._git, tip, strict=False),
            files=files,
            commits=self._commits(head, base, against),
            pull_request=wanted.pull_request,
            everything=wanted.everything,
            starts_from=self._starts(head),
        )
        return change, (*notes, *self._uncommitted(wanted))

    def _head(self, name: str) -> str:
        return head_of(self._git) if name == "HEAD" else self._commit(name)

    def _commit(self, name: str) -> str:
        try:
            if name.startswith("-"):
                raise GitFailed(["rev-parse"], 128, "an option is no name")
            return self._git.text("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
        except GitFailed:
            raise BadInput(
                f"{name!r} names no commit of {self._repository}",
                hint="name a branch, a tag or a commit: git log --oneline",
            ) from None

    def _branch(self, head: str) -> str:
        try:
            return self._git.text("symbolic-ref", "--quiet", "--short", "HEAD")
        except GitFailed:
            raise BadInput(
                f"HEAD is detached at {head[:12]}: which branch is judged?",
                hint="slipway check --branch NAME",
            ) from None

    def _tip(self, target: str, base: str) -> str:
        """The tip of the branch a merge goes to: of the installation's origin, else of a remote of
        the checkout, else the checkout's own, else the base that was asked for."""
        if self._origin is not None and (tip := _parse(self._origin, f"refs/heads/{target}")):
            return tip
        remotes = [] if self._bare else self._git.text("remote").splitlines()
        for remote in sorted(remotes, key=lambda name: (name != "origin", name)):
            if tip := _parse(self._git, f"refs/remotes/{remote}/{target}"):
                return tip
        if tip := _parse(self._git, f"refs/heads/{target}"):
            return tip
        if base:
            return self._commit(base)
        raise BadInput(
            f"the branch {target}, which this change would be merged to, is not known here",
            hint=f"git fetch origin {target}, or slipway check --base REF",
        )

    def _starts(self, head: str) -> tuple[str, ...] | None:
        """None where main or develop is not known: then nobody can say."""
        try:
            return starts_from(self._git, head, {b: self._tip(b, "") for b in ("main", "develop")})
        except (BadInput, GitFailed):
            return None

    def _base(self, head: str, tip: str, target: str) -> tuple[str, tuple[str, ...]]:
        try:
            bases = self._git.text("merge-base", "--all", tip, head).split()
        except GitFailed as error:
            if error.code != 1:
                raise BadInput(
                    f"no common history of {head[:12]} and {target} can be read: {error.message}",
                    hint="git fetch --unshallow",
                ) from None
            bases = []
        if not bases:
            shallow = self._git.text("rev-parse", "--is-shallow-repository") == "true"
            raise BadInput(
                f"{head[:12]} and {target} ({tip[:12]}) have no common commit"
                + (" within this shallow clone" if shallow else ""),
                hint="git fetch --unshallow"
                if shallow
                else f"begin the branch from {target}: git switch -c NAME {target}",
            )
        if len(bases) == 1:
            return bases[0], ()
        # Criss-cross merges: what differs least is what the branch itself brings.
        chosen = min(bases, key=lambda base: (len(self._files(base, head)), base))
        return chosen, (
            f"{target} and the branch were merged into each other both ways;"
            f" compared with {chosen[:12]} of {len(bases)} possible commits",
        )

    def _files(self, base: str, head: str) -> tuple[ChangedFile, ...]:
        out = self._git.run(
            *("diff-tree", "-r", "-z", "-M", "-l2000", "--no-commit-id", "--name-status"),
            *(base, head),
        )
        return parse_name_status(out.decode("utf-8", "surrogateescape"))

    def _commits(self, head: str, base: str, tip: str) -> tuple[CommitFact, ...]:
        out = self._git.run(
            *("-c", "i18n.logOutputEncoding=UTF-8", "log", "-z", f"--max-count={MOST_COMMITS + 1}"),
            *("--format=%H%x00%an <%ae>%x00%P%x00%s%x00%b", head, f"^{base}", f"^{tip}"),
        )
        found = parse_commits(out.decode("utf-8", "replace"))
        if len(found) > MOST_COMMITS:
            raise BadInput(
                f"more than {MOST_COMMITS} commits since {base[:12]}",
                hint="bring the target into the branch, or split it",
            )
        return found

    def _uncommitted(self, wanted: Wanted) -> tuple[str, ...]:
        if self._bare or wanted.commit != "HEAD":
            return ()
        person = Git(self._repository, isolated=False)
        lines = person.text("status", "--porcelain", "--untracked-files=normal").splitlines()
        if not lines:
            return ()
        return (f"{len(lines)} uncommitted file(s) are not judged: a check looks at commits",)


def find_checkout(folder: Path) -> Path | None:
    """The checkout that a folder lies in, when it is one of a project with an application."""
    try:
        top = Path(Git(folder, isolated=True).text("rev-parse", "--show-toplevel"))
    except GitFailed:
        return None
    return top if (top / "app" / "slipway.yaml").is_file() else None


def branch_of_workflow(variables: Mapping[str, str]) -> tuple[str, str]:
    """(branch, target) as GitHub Actions says them; empty where it does not."""
    if variables.get("GITHUB_ACTIONS") != "true":
        return "", ""
    branch = variables.get("GITHUB_HEAD_REF") or variables.get("GITHUB_REF_NAME", "")
    return branch, variables.get("GITHUB_BASE_REF", "")


def parse_name_status(text: str) -> tuple[ChangedFile, ...]:
    """`git diff-tree -z --name-status -M`. A changed type (file to link) counts as modified."""
    words = text.split("\0")[:-1]
    files: list[ChangedFile] = []
    position = 0
    while position < len(words):
        status = words[position][:1]
        if status in "RC":
            old, new = words[position + 1 : position + 3]
            files.append(ChangedFile(new, "R" if status == "R" else "A", old * (status == "R")))
            position += 3
        else:
            kind = status if status in "AMD" else "M"
            files.append(ChangedFile(words[position + 1], kind))
            position += 2
    return tuple(files)


def parse_commits(text: str) -> tuple[CommitFact, ...]:
    """`git log -z` with five fields a commit; a message cannot contain the separator."""
    words = text.split("\0")
    return tuple(
        CommitFact(identity, author, subject, body.strip(), tuple(parents.split()))
        for identity, author, parents, subject, body in (
            words[start : start + _COMMIT_FIELDS]
            for start in range(0, len(words) - _COMMIT_FIELDS + 1, _COMMIT_FIELDS)
        )
        if re.fullmatch(r"[0-9a-f]{40,64}", identity)
    )


def _parse(git: Git, name: str) -> str:
    """The commit a full ref points at, empty when there is none."""
    try:
        return git.text("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")
    except GitFailed:
        return ""
