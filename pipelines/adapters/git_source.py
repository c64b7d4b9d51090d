"""`flows.source_ports.Source` on the bare origin."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from pipelines.adapters import git_merge, git_refs
from pipelines.adapters.git_command import Git, GitFailed
from pipelines.adapters.git_files import committed_text, list_tree
from pipelines.adapters.git_objects import parse_trailers
from pipelines.flows.source_ports import (
    BRANCH_TRAILER,
    RELEASE_TRAILER,
    VERSION_TRAILER,
    CutRecord,
    Move,
)
from pipelines.model.check import CommitFact
from pipelines.model.errors import InProgress, Unavailable
from pipelines.model.source import PARTS

T = TypeVar("T")

CUT_REFS = ("refs/heads/release/v", "refs/slipway/hotfix/v")
_PEOPLE = ("main", "develop", "feature", "release", "hotfix")
_RACE = ("but expected", "reference already exists", "cannot lock ref", "unable to resolve")


class GitSource:
    """Reads and writes objects and refs; keeps nothing."""

    def __init__(self, origin: Path) -> None:
        self._origin = origin
        self._git = Git(origin, isolated=True, bare=True)

    def head(self, branch: str) -> str | None:
        try:
            return git_refs.read_ref(self._origin, f"refs/heads/{branch}")
        except (OSError, ValueError) as error:
            raise Unavailable(f"{branch} cannot be read: {error}") from error

    def tags(self) -> Mapping[str, str]:
        lines = self._ask(
            "for-each-ref", "--format=%(refname:strip=2) %(objectname) %(*objectname)", "refs/tags"
        ).splitlines()
        return {name: commits.split()[-1] for name, _, commits in (x.partition(" ") for x in lines)}

    def contains(self, branch: str, commit: str) -> bool:
        return branch in self.branches_with(commit)

    def branches_with(self, commit: str) -> Sequence[str]:
        patterns = [f"refs/heads/{name}" for name in _PEOPLE]
        try:
            out = self._git.text(
                "for-each-ref", "--format=%(refname:strip=2)", "--contains", commit, *patterns
            )
        except GitFailed as error:
            if "no such commit" in error.message or "malformed object" in error.message:
                return ()
            raise self._away(error) from error
        return tuple(sorted(out.split()))

    def cuts(self) -> Sequence[CutRecord]:
        form = "%(refname)%00%(objectname)%00%(parent)%00%(contents)%01"
        out = self._ask("for-each-ref", f"--format={form}", *(f"{ref}*" for ref in CUT_REFS))
        found = []
        for part in out.split("\x01"):
            fields = part.strip("\n").split("\0")
            trailers = parse_trailers(fields[3]) if len(fields) == 4 else {}
            if VERSION_TRAILER in trailers and RELEASE_TRAILER in trailers:
                found.append(
                    CutRecord(
                        version=trailers[VERSION_TRAILER],
                        release=trailers[RELEASE_TRAILER],
                        branch=trailers.get(BRANCH_TRAILER, ""),
                        ref=fields[0],
                        commit=fields[1],
                        base=fields[2].split(" ")[0],
                    )
                )
        return found

    def log(self, since: str | None, until: str) -> Sequence[CommitFact]:
        span = [until, f"^{since}"] if since else [until]
        form = "%H%x00%an%x00%P%x00%s%x00%b%x01"
        out = self._ask("log", "--first-parent", "--max-count=2000", f"--format={form}", *span)
        found = []
        for part in out.split("\x01"):
            fields = part.lstrip("\n").split("\0")
            if len(fields) == 5:
                commit, author, parents, subject, body = fields
                found.append(
                    CommitFact(commit, author, subject, body.strip(), tuple(parents.split()))
                )
        return self._with_words(found)

    def _with_words(self, commits: Sequence[CommitFact]) -> Sequence[CommitFact]:
        """A merge says what its branch says: the message of the branch's last commit is its body."""
        merged = [commit.parents[1] for commit in commits if len(commit.parents) > 1]
        if not merged:
            return commits
        out = self._ask("log", "--no-walk=unsorted", "--format=%H%x00%B%x01", *merged)
        parts = (part.lstrip("\n").partition("\0") for part in out.split("\x01"))
        words = {commit: text.strip() for commit, _, text in parts}
        return [
            replace(commit, body=words.get(commit.parents[1], ""))
            if len(commit.parents) > 1
            else commit
            for commit in commits
        ]

    def trees(self, commit: str) -> Mapping[str, str]:
        entries = self._read(lambda: list_tree(self._git, commit, *PARTS))
        return {entry.path: entry.id for entry in entries if entry.kind == "tree"}

    def text(self, commit: str, path: str) -> str | None:
        return self._read(lambda: committed_text(self._git, commit, path))

    def write_file(
        self,
        parent: str,
        name: str,
        text: str,
        subject: str,
        trailers: Mapping[str, str],
        *,
        author: str,
    ) -> str:
        def write() -> str:
            blob = self._git.text("hash-object", "-w", "--stdin", stdin=text.encode())
            kept = [e for e in list_tree(self._git, parent) if e.path != name]
            lines = [f"{e.mode} {e.kind} {e.id}\t{e.path}" for e in kept]
            listing = "".join(f"{line}\0" for line in [*lines, f"100644 blob {blob}\t{name}"])
            tree = self._git.text("mktree", "-z", stdin=listing.encode("utf-8", "surrogateescape"))
            return git_merge.write_commit(
                self._git, tree, [parent], subject, trailers, author=author
            )

        return self._read(write)

    def merge(
        self, ours: str, theirs: str, subject: str, trailers: Mapping[str, str], *, author: str
    ) -> str:
        return self._read(
            lambda: git_merge.merge_commit(
                self._git, ours, theirs, subject, trailers, author=author
            )
        )

    def annotated_tag(self, name: str, commit: str, message: str) -> str:
        who = self._ask("var", "GIT_COMMITTER_IDENT")
        text = f"object {commit}\ntype commit\ntag {name}\ntagger {who}\n\n{message}\n"
        return self._read(lambda: self._git.text("mktag", stdin=text.encode()))

    def move(self, moves: Sequence[Move]) -> None:
        try:
            git_merge.move_refs(self._git, [(m.ref, m.new, m.old) for m in moves])
        except GitFailed as error:
            if any(words in error.message for words in _RACE):
                raise InProgress(
                    f"a branch moved meanwhile: {error.message}",
                    hint="somebody else was quicker: run it again",
                ) from error
            raise self._away(error) from error

    def _ask(self, *arguments: str) -> str:
        return self._read(lambda: self._git.text(*arguments))

    def _read(self, act: Callable[[], T]) -> T:
        try:
            return act()
        except GitFailed as error:
            raise self._away(error) from error

    def _away(self, error: GitFailed) -> Unavailable:
        return Unavailable(
            f"the origin {self._origin} does not answer: {error}",
            hint="put it back; rollback works without it",
        )
