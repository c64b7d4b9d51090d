"""`flows.receive.Arrivals` on the bare origin: what a push brings, compared with what is there."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pipelines.adapters.branch_start import starts_from
from pipelines.adapters.git_command import GitFailed
from pipelines.adapters.git_objects import parse_commit, read_objects
from pipelines.adapters.git_reverts import why_not_back
from pipelines.adapters.git_source import GitSource


class GitArrivals(GitSource):
    """A commit that git does not have descends from nothing. Also `flows.working.Branches`."""

    def heads(self, *kinds: str) -> Mapping[str, str]:
        patterns = [f"refs/heads/{kind}" for kind in kinds]
        out = self._ask("for-each-ref", "--format=%(refname:strip=2) %(objectname)", *patterns)
        return dict(line.split(" ") for line in out.splitlines())

    def trailers(self, commit: str) -> Mapping[str, str]:
        found = self._read(lambda: read_objects(self._git, [commit])[0])
        return parse_commit(*found).trailers if found else {}

    def parents(self, commit: str) -> tuple[str, ...]:
        found = self._read(lambda: read_objects(self._git, [commit])[0])
        return parse_commit(*found).parents if found else ()

    def ref(self, name: str) -> str | None:
        found = self._ask("for-each-ref", "--format=%(refname) %(objectname)", name).split()
        return found[1] if found and found[0] == name else None

    def authors(self, since: str, until: str) -> Sequence[str]:
        out = self._ask("log", "--format=%an%n%ae", f"{since}..{until}")
        return sorted(set(out.splitlines()))

    def paths(self, since: str, until: str) -> Sequence[str]:
        span = ("--no-renames", f"{since}...{until}")
        return sorted(filter(None, self._ask("diff", "--name-only", "-z", *span).split("\0")))

    def starts_from(self, commit: str, *branches: str) -> tuple[str, ...]:
        tips = {branch: head for branch in branches if (head := self.head(branch))}
        return self._read(lambda: starts_from(self._git, commit, tips))

    def is_commit(self, name: str) -> bool:
        return self._answers("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")

    def descends(self, commit: str, ancestor: str) -> bool:
        return self._answers("merge-base", "--is-ancestor", ancestor, commit)

    def why_not_back(self, environment: str, old: str, new: str) -> str:
        return self._read(lambda: why_not_back(self._git, environment, old, new))

    def _answers(self, *arguments: str) -> bool:
        try:
            self._git.run(*arguments)
        except GitFailed as error:
            if error.code == 1 or "Not a valid" in error.message:
                return False
            raise self._away(error) from error
        return True
