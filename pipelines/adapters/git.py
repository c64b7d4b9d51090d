"""The origin: one bare repository with `main`, `develop` and the machine-written `env/*`.

Written by plumbing only, each ref with its expected old value. The head of a branch is read from
the ref's file and parsed once per commit, so that looking every second costs nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

from pipelines.adapters import git_refs, git_rules
from pipelines.adapters.git_command import Git, GitFailed
from pipelines.adapters.git_files import committed_text, folders_in
from pipelines.adapters.git_objects import (
    Commit,
    message_of,
    parse_commit,
    read_objects,
    write_tree,
)
from pipelines.adapters.git_origin_setup import OriginChange, init_origin
from pipelines.adapters.git_reverts import ENVIRONMENT_TRAILER, RELEASE_FILE, why_foreign
from pipelines.adapters.git_update import update_ref
from pipelines.flows.ports import BranchCommit
from pipelines.model.branch import BranchHead, BranchReading, BranchState
from pipelines.model.environment import EnvironmentSettings
from pipelines.model.errors import BadInput, InProgress, NeedsPerson, Unavailable

__all__ = ["GitOrigin", "OriginChange", "init_origin"]

AUDIT_TRAILER = "Slipway-Audit-Head"


class GitOrigin:
    """`flows.ports.Origin` on the bare repository `origin`."""

    def __init__(self, origin: Path) -> None:
        self._origin = origin
        self._git = Git(origin, isolated=True, bare=True)
        self._readings: dict[tuple[str, str | None, str], BranchReading] = {}
        self._settings: dict[tuple[str, str], EnvironmentSettings] = {}

    def reachable(self) -> bool:
        return git_refs.reachable(self._origin)

    def read(self, environment: str, known_commit: str | None) -> BranchReading:
        if not self.reachable():
            return BranchReading(trouble="unreachable", detail=f"{self._origin} cannot be read")
        try:
            commit = git_refs.read_ref(self._origin, _ref(environment))
        except ValueError as error:
            return BranchReading(trouble="broken", detail=str(error))
        except OSError as error:
            return BranchReading(trouble="unreachable", detail=str(error))
        if commit is None:
            if known_commit is None:
                return BranchReading(trouble="absent", detail="no release was ever made active")
            return BranchReading(
                trouble="deleted", detail=f"the last known commit is {known_commit}"
            )
        key = (environment, known_commit, commit)
        if key not in self._readings:
            try:
                reading = self._judge(environment, known_commit, commit)
            except Unavailable as error:
                return BranchReading(trouble="unreachable", detail=error.message)
            except GitFailed as error:
                return BranchReading(trouble="broken", detail=str(error))
            if len(self._readings) > 256:
                self._readings.clear()
            self._readings[key] = reading
        return self._readings[key]

    def _judge(self, environment: str, known: str | None, head: str) -> BranchReading:
        if known is not None and known != head and not self._descends(head, known):
            return BranchReading(
                trouble="rewritten", detail=f"{head} does not descend from the known {known}"
            )
        foreign = self._foreign(environment, known, head)
        if foreign:
            return BranchReading(trouble="foreign", detail=foreign)
        found, file = read_objects(self._git, [head, f"{head}:{RELEASE_FILE}"])
        if found is None or file is None:
            missing = "its commit" if found is None else RELEASE_FILE
            return BranchReading(trouble="broken", detail=f"{head}: {missing} is missing")
        try:
            state = _parse(file[1])
            if state.environment != environment:
                raise BadInput(f"{RELEASE_FILE} is that of {state.environment}")
        except BadInput as error:
            return BranchReading(trouble="broken", detail=f"{head}: {error.message}")
        parents = parse_commit(*found).parents
        return BranchReading(head=BranchHead(head, parents[0] if parents else None, state))

    def _descends(self, head: str, ancestor: str) -> bool:
        try:
            self._git.run("merge-base", "--is-ancestor", ancestor, head)
        except GitFailed:  # 1: it does not; 128: git no longer has the known commit
            return False
        return True

    def _foreign(self, environment: str, known: str | None, head: str) -> str:
        """What is wrong with the newest commit since the known one that Slipway did not write, unless
        it only goes back to what Slipway wrote before."""
        span = [head] if known is None or known == head else [head, f"^{known}"]
        try:
            listed = self._git.text("rev-list", "--max-count=200", *span).split() or [head]
        except GitFailed as error:
            raise GitFailed(["rev-list"], error.code, f"{head}: {error.message}") from None
        for commit in self._commits(listed):
            if commit.trailers.get(ENVIRONMENT_TRAILER) == environment:
                continue
            problem = why_foreign(self._git, environment, commit)
            if problem:
                return problem
        return ""

    def _commits(self, names: Sequence[str]) -> list[Commit]:
        objects = read_objects(self._git, names)
        return [parse_commit(*found) for found in objects if found is not None]

    def commit(
        self,
        environment: str,
        state: BranchState,
        files: dict[str, str],
        *,
        expect: str | None,
        subject: str,
        trailers: dict[str, str],
    ) -> str:
        """The commit's tree is `release.yaml` and `files`, nothing else."""
        self._require(environment, expect)
        all_trailers = {
            ENVIRONMENT_TRAILER: environment,
            AUDIT_TRAILER: state.audit_head,
            **trailers,
        }
        try:
            tree = write_tree(self._git, {**files, RELEASE_FILE: _render(state)})
            parents = ["-p", expect] if expect else []
            commit = (
                self._git.run(
                    *("commit-tree", tree, *parents, "-F", "-"),
                    stdin=message_of(subject, all_trailers),
                    identity=state.actor,
                )
                .decode()
                .strip()
            )
            update_ref(self._git, _ref(environment), commit, expect)
        except GitFailed as error:
            raise Unavailable(
                f"the origin {self._origin} took no commit: {error}",
                hint="is the disk full or read-only? It is tried again",
            ) from error
        return commit

    def _require(self, environment: str, expect: str | None) -> None:
        if not self.reachable():
            raise Unavailable(
                f"the origin {self._origin} cannot be read", hint="put it back; it is tried again"
            )
        try:
            current = git_refs.read_ref(self._origin, _ref(environment))
        except (OSError, ValueError) as error:
            raise Unavailable(f"env/{environment} cannot be read: {error}") from error
        if current != expect:
            raise InProgress(
                f"env/{environment} is at {current or 'nothing'}, expected {expect or 'nothing'}",
                hint="somebody else was quicker: look at `slipway history`, then run it again",
            )

    def history(self, environment: str, limit: int) -> Sequence[BranchCommit]:
        """Newest first; commits that Slipway did not write are left out."""
        names = self._log(environment, f"--max-count={limit}")
        objects = read_objects(self._git, [n for c in names for n in (c, f"{c}:{RELEASE_FILE}")])
        history: list[BranchCommit] = []
        for found, file in zip(objects[::2], objects[1::2], strict=True):
            if found is None or file is None:
                continue
            commit = parse_commit(*found)
            with suppress(BadInput):
                state = _parse(file[1])
                at = datetime.fromtimestamp(commit.at_seconds, UTC).isoformat()
                history.append(BranchCommit(commit.id, at, commit.subject, state))
        return history

    def file(self, environment: str, commit: str, path: str) -> str | None:
        self._require_reachable()
        found = read_objects(self._git, [f"{commit}:{path}"])[0]
        return found[1].decode("utf-8", "replace") if found else None

    def anchors(self, environment: str) -> Sequence[str]:
        commits = self._commits(list(reversed(self._log(environment))))
        return [c.trailers[AUDIT_TRAILER] for c in commits if c.trailers.get(AUDIT_TRAILER)]

    def restore_branch(self, environment: str, commit: str) -> None:
        self._require_reachable()
        if read_objects(self._git, [f"{commit}^{{commit}}"])[0] is None:
            raise NeedsPerson(
                f"the origin no longer has commit {commit} of env/{environment}",
                hint="put a copy of the origin back, or promote anew",
            )
        try:
            update_ref(self._git, _ref(environment), commit, None, force=True)
        except GitFailed as error:
            raise Unavailable(f"env/{environment} was not restored: {error}") from error

    def policy_text(self, rule: str) -> str | None:
        try:
            return git_rules.policy_text(self._git, self._main(), rule)
        except GitFailed as error:
            raise Unavailable(f"the policies on main cannot be read: {error}") from error

    def branches_with(self, commit: str, parts: Mapping[str, str]) -> Sequence[str]:
        self._require_reachable()
        try:
            return git_rules.branches_with(self._git, commit, parts)
        except GitFailed as error:
            raise Unavailable(f"the branches with {commit} cannot be read: {error}") from error

    def _main(self) -> str:
        self._require_reachable()
        try:
            main = git_refs.read_ref(self._origin, "refs/heads/main")
        except (OSError, ValueError) as error:
            raise Unavailable(f"main cannot be read: {error}") from error
        if main is None:
            raise NeedsPerson("the origin has no branch main", hint="run `slipway up`")
        return main

    def settings(self, environment: str) -> EnvironmentSettings:
        main = self._main()
        if (main, environment) not in self._settings:
            file = f"environments/{environment}/environment.yaml"
            text = committed_text(self._git, main, file)
            if text is None:
                known = folders_in(self._git, main, "environments")
                raise BadInput(
                    f"environment {environment!r} is missing: no {file} on main",
                    hint=f"there are: {', '.join(sorted(set(known) - {'base'})) or 'none'}",
                )
            from pipelines.model import environment_yaml  # late, as in _parse

            settings = environment_yaml.parse(text, environment, file)
            self._settings[main, environment] = settings
        return self._settings[main, environment]

    def _log(self, environment: str, *options: str) -> list[str]:
        self._require_reachable()
        try:
            if git_refs.read_ref(self._origin, _ref(environment)) is None:
                return []
            return self._git.text("rev-list", *options, _ref(environment)).split()
        except (OSError, ValueError, GitFailed) as error:
            raise Unavailable(f"env/{environment} cannot be read: {error}") from error

    def _require_reachable(self) -> None:
        if not self.reachable():
            raise Unavailable(
                f"the origin {self._origin} cannot be read",
                hint="put it back; rollback works without it",
            )


def _ref(environment: str) -> str:
    return f"refs/heads/env/{environment}"


def _parse(content: bytes) -> BranchState:
    """YAML is imported late: a rollback moves live before it looks at any branch."""
    from pipelines.model import release_yaml

    return release_yaml.parse(content.decode("utf-8", "replace"), RELEASE_FILE)


def _render(state: BranchState) -> str:
    from pipelines.model import release_yaml

    return release_yaml.render(state)
