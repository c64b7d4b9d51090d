"""What the worker of the controller does: find work that nobody asked for, start jobs, end them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from pipelines.flows.source_ports import Source
from pipelines.records.jobs import BROKEN, CHECK, DELIVER, Job, Jobs

CHECKED_KINDS = ("feature", "hotfix")
LIMIT_SECONDS = 3600.0
"""Of one job, whatever it is: after that it is ended, and broken."""
_DELIVERED = ("Slipway-Merge", "Slipway-Version")


class Branches(Source, Protocol):
    def heads(self, *kinds: str) -> Mapping[str, str]:
        """Branch → commit of every branch `<kind>/…`."""

    def trailers(self, commit: str) -> Mapping[str, str]: ...

    def parents(self, commit: str) -> tuple[str, ...]: ...

    def ref(self, name: str) -> str | None:
        """Commit of any ref, by its whole name."""

    def authors(self, since: str, until: str) -> Sequence[str]:
        """Names and addresses of who wrote what `until` has and `since` has not."""

    def paths(self, since: str, until: str) -> Sequence[str]:
        """Files changed in `until` since it left `since`; of a rename both."""


class Running(Protocol):
    """A process that works on a job."""

    pid: int

    def ended(self) -> int | None:
        """Exit code, None while it runs."""

    def stop(self) -> None: ...


def find_work(jobs: Jobs, origin: Branches, engine: str) -> list[Job]:
    """Jobs for what came in while nobody could write one down: branches without a check of their
    head, and a develop that Slipway moved without delivering it. Returns those made now.

    A check that was broken under another engine is tried again by this one.
    """
    made: list[Job] = []
    for branch, commit in origin.heads(*CHECKED_KINDS).items():
        known = jobs.newest(branch, kind=CHECK, commit=commit)
        broken = known is not None and known.status == BROKEN and known.engine != engine
        if (known is None or broken) and not origin.contains("develop", commit):
            made.append(
                jobs.ask(CHECK, branch, commit, actor="slipway", reason="found", again=broken)
            )
    develop = origin.head("develop")
    if develop is not None and jobs.newest("develop", kind=DELIVER, commit=develop) is None:
        trailers = origin.trailers(develop)
        if any(name in trailers for name in _DELIVERED):
            what = trailers.get("Slipway-Merge") or f"version {trailers['Slipway-Version']}"
            actor = trailers.get("Slipway-Actor", "slipway")
            made.append(jobs.ask(DELIVER, "develop", develop, actor=actor, reason=f"merged {what}"))
    return made


class Bench:
    """The one job that runs. `start` begins its process; `clock` is monotonic, in seconds."""

    def __init__(
        self,
        jobs: Jobs,
        engine: str,
        start: Callable[[Job], Running],
        clock: Callable[[], float],
        log: Callable[[str], None],
    ) -> None:
        self._jobs, self._engine = jobs, engine
        self._start, self._clock, self._log = start, clock, log
        self._job: Job | None = None
        self._process: Running | None = None
        self._began = 0.0

    @property
    def busy(self) -> bool:
        return self._job is not None

    def look(self) -> None:
        """Ends what has ended, or starts what waits. Never waits itself."""
        if self._job is not None and self._process is not None:
            self._watch(self._job, self._process)
        if self._job is None and (job := self._jobs.take(self._engine)) is not None:
            self._begin(job)

    def stop(self) -> None:
        """The controller leaves: the job waits for the next one."""
        if self._job is not None and self._process is not None:
            self._process.stop()
            self._jobs.give_back(self._job.id)
            self._job = self._process = None

    def _begin(self, job: Job) -> None:
        self._log(f"job {job.id}: {job.kind} {job.branch} {job.commit[:12]} begins")
        try:
            self._process = self._start(job)
        except Exception:
            self._jobs.give_back(job.id)
            raise
        self._jobs.adopt(job.id, self._process.pid)
        self._job, self._began = job, self._clock()

    def _watch(self, job: Job, process: Running) -> None:
        code = process.ended()
        if code is None and self._clock() - self._began > LIMIT_SECONDS:
            process.stop()
            self._jobs.end(job.id, BROKEN, f"it did not end within {LIMIT_SECONDS:g} s")
            code = -1
        if code is None:
            return
        self._job = self._process = None
        self._jobs.reap()  # it ended without a word: it waits again, or is broken
        now = self._jobs.get(job.id)
        self._log(f"job {job.id}: {now.status if now else 'gone'} (exit code {code})")
