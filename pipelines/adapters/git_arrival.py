"""`flows.receive.Arrivals` on the bare origin: what a push brings, compared with what is there."""

from __future__ import annotations

from pipelines.adapters.git_command import GitFailed
from pipelines.adapters.git_source import GitSource


class GitArrivals(GitSource):
    """Reads alone; a commit that git does not have descends from nothing."""

    def is_commit(self, name: str) -> bool:
        return self._answers("rev-parse", "--verify", "--quiet", f"{name}^{{commit}}")

    def descends(self, commit: str, ancestor: str) -> bool:
        return self._answers("merge-base", "--is-ancestor", ancestor, commit)

    def related(self, one: str, other: str) -> bool:
        return self._answers("merge-base", one, other)

    def _answers(self, *arguments: str) -> bool:
        try:
            self._git.run(*arguments)
        except GitFailed as error:
            if error.code == 1 or "Not a valid" in error.message:
                return False
            raise self._away(error) from error
        return True
