"""One branch of a repository elsewhere, kept in a folder: implements `branch_watch.Mirror`.

Only the newest commit is fetched. Whatever talks to the other side is ended at its time limit, with
the helpers that git started for it.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from pipelines.adapters.git_command import Git, GitFailed, command, environment
from pipelines.adapters.git_credentials import refuse_secret, variables
from pipelines.adapters.git_objects import read_objects
from pipelines.adapters.process import run_limited
from pipelines.engine.sync.documents import MAX_BYTES
from pipelines.model.errors import BadInput, Unavailable

ENDINGS = (".yaml", ".yml", ".json")
LOOK_SECONDS, FETCH_SECONDS = 10.0, 60.0
TIDY_EVERY = 100
"""Fetches: each leaves the commit before it behind."""


class GitMirror:
    """Raises BadInput at once for an address or credentials that cannot be meant."""

    def __init__(
        self, repository: str, branch: str, folder: Path, credentials: Path | None = None
    ) -> None:
        self._repository = refuse_secret(repository)
        self._ref = f"refs/heads/{branch}"
        self._folder = folder
        self._environment = {
            **environment(os.environ, isolated=True, identity="", at=""),
            **variables(credentials),
        }
        self._git = Git(folder, isolated=True, bare=True)
        self._fetches = 0

    def head(self) -> str | None:
        self._prepare()
        said = self._ask("ls-remote", "--quiet", "--", self._repository, self._ref)
        for line in said.splitlines():
            commit, _, ref = line.partition("\t")
            if ref == self._ref:
                return commit
        return None

    def fetch(self) -> str:
        self._prepare()
        words = ("--quiet", "--depth=1", "--no-tags", "--no-write-fetch-head", "--force")
        refs = f"+{self._ref}:{self._ref}"
        self._ask("fetch", *words, "--", self._repository, refs, seconds=FETCH_SECONDS)
        found = self.fetched()
        if found is None:
            raise Unavailable(f"{self._ref} went away while it was fetched")
        self._fetches += 1
        if self._fetches % TIDY_EVERY == 0:
            with suppress(GitFailed):
                self._git.run("gc", "--quiet", "--prune=now", seconds=FETCH_SECONDS)
        return found

    def fetched(self) -> str | None:
        try:
            return self._git.text("rev-parse", "--verify", "--quiet", f"{self._ref}^{{commit}}")
        except GitFailed:
            return None

    def files(self, commit: str, folder: str, *, recurse: bool) -> Sequence[tuple[str, bytes]]:
        where = folder.strip("/").removeprefix("./")
        inside = [] if where in ("", ".") else ["--", f"{where}/"]
        deep = ["-r"] if recurse else []
        try:
            listed = self._git.run("ls-tree", "-z", "--long", *deep, commit, *inside)
            blobs = _manifests(listed)
            if not listed:
                raise BadInput(
                    f"{folder}: no such folder at {commit[:12]}", hint="correct spec.source.path"
                )
            _bearable(folder, sum(size for _, _, size in blobs))
            found = read_objects(self._git, [name for _, name, _ in blobs])
        except GitFailed as error:
            raise Unavailable(f"the mirror {self._folder} cannot be read: {error}") from None
        return [
            (path, content[1])
            for (path, _, _), content in zip(blobs, found, strict=True)
            if content is not None
        ]

    def _prepare(self) -> None:
        if (self._folder / "HEAD").exists():
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
            self._git.run("init", "--quiet", "--bare", "--initial-branch=none")
        except (OSError, GitFailed) as error:
            raise Unavailable(f"the mirror {self._folder} cannot be made: {error}") from None

    def _ask(self, *words: str, seconds: float = LOOK_SECONDS) -> str:
        code, out, said = run_limited(
            *(command(self._folder, words, bare=True), self._environment, seconds),
            cwd=".",  # a repository may be named by a relative path
        )
        if code is None:
            raise Unavailable(f"git {words[0]} did not end within {seconds:g} s")
        if code != 0:
            raise Unavailable(f"git {words[0]}: {' '.join(said.split()) or f'exit code {code}'}")
        return out


def _manifests(listed: bytes) -> list[tuple[str, str, int]]:
    """Path, object and bytes of every file that may hold manifests, sorted."""
    found = []
    for entry in listed.decode("utf-8", "replace").split("\0"):
        about, tab, path = entry.partition("\t")
        if not tab or not path.endswith(ENDINGS):
            continue
        mode, kind, name, size = about.split()
        if kind == "blob" and mode != "120000":
            found.append((path, name, int(size)))
    return sorted(found)


def _bearable(folder: str, size: int) -> None:
    if size > MAX_BYTES:
        raise BadInput(
            f"{folder}: {size:,} bytes of manifests, at most {MAX_BYTES:,} are read",
            hint="manifests of this size are a mistake; split the Application if not",
        )
