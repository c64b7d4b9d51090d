"""What the branch of an environment wants of each Application, as of its newest commit."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from pipelines.engine.sync.application_yaml import Application
from pipelines.engine.sync.hooks import is_hook
from pipelines.engine.sync.manifests import read_bytes, refuse_twins
from pipelines.model.errors import BadInput, Unavailable
from pipelines.model.resource import Resource
from pipelines.targets.kubernetes.sync_run import digest

LOOK_SECONDS = 0.5
"""What a push asks for begins within a second."""
LONGEST_PAUSE_SECONDS = 5.0
"""Between two tries while git does not answer."""


class Mirror(Protocol):
    """One branch of a repository elsewhere. Every call is bounded in time and raises Unavailable."""

    def head(self) -> str | None:
        """The commit of the branch there; None when there is no such branch."""

    def fetch(self) -> str:
        """The commit that is here now; `files` works for it from now on, also while git is away."""

    def fetched(self) -> str | None:
        """The newest commit that is here, from before a restart maybe."""

    def files(self, commit: str, folder: str, *, recurse: bool) -> Sequence[tuple[str, bytes]]:
        """Path and content of every manifest in a folder. Raises BadInput for what is too large."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """`digest` is over what is compared, so without hooks. `error`: why it cannot be read."""

    commit: str
    desired: tuple[Resource, ...] = ()
    digest: str = ""
    error: str = ""


class BranchWatch:
    """`look` is called again and again by one thread; everybody else waits for what it found."""

    def __init__(
        self, mirror: Mirror, applications: Sequence[Application], log: Callable[[str], None]
    ) -> None:
        self._mirror, self._applications, self._log = mirror, applications, log
        self._wanted: Mapping[str, Wanted] = {}
        self._commit = ""
        self._changed = threading.Condition()
        self._trouble, self._failures = "", 0

    def look(self) -> float:
        """Looks once; how many seconds to wait until the next time."""
        try:
            head = self._mirror.head()
            if head is not None and head != self._commit:
                self._take(self._mirror.fetch())
            elif head is None:
                self._say("there is no such branch (yet)")
                return LOOK_SECONDS
        except Unavailable as error:
            return self._away(error)
        self._say("")
        self._failures = 0
        return LOOK_SECONDS

    def newest(self, application: str) -> Wanted | None:
        """None before anything was read."""
        with self._changed:
            return self._wanted.get(application)

    def wait(self, commit: str, seconds: float) -> None:
        """Until the branch is at another commit, or `seconds` passed."""
        with self._changed:
            self._changed.wait_for(lambda: self._commit != commit, seconds)

    def wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def _away(self, error: Unavailable) -> float:
        self._failures += 1
        known = self._mirror.fetched() if not self._commit else None
        if known is not None:
            self._take(known)
        self._say(f"git does not answer: {error.message}")
        return min(LONGEST_PAUSE_SECONDS, LOOK_SECONDS * 2.0 ** min(self._failures, 8))

    def _take(self, commit: str) -> None:
        began = time.monotonic()
        wanted = {one.settings.application: self._read(one, commit) for one in self._applications}
        with self._changed:
            self._wanted, self._commit = wanted, commit
            self._changed.notify_all()
        objects = sum(len(one.desired) for one in wanted.values())
        seconds = time.monotonic() - began
        self._log(f"branch at {commit[:12]}: {objects} objects, read in {seconds:.2f} s")

    def _read(self, application: Application, commit: str) -> Wanted:
        try:
            files = self._mirror.files(commit, application.path, recurse=application.recurse)
            desired = [one for path, data in files for one in read_bytes(data, path)]
            refuse_twins(desired)
        except BadInput as error:
            return Wanted(commit, error=str(error))
        compared = [one for one in desired if not is_hook(one)]
        return Wanted(commit, tuple(desired), digest(compared))

    def _say(self, words: str) -> None:
        if words != self._trouble:
            self._log(words or "the branch can be read again")
            self._trouble = words
