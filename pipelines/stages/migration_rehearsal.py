"""The rehearsal: up, down and up again on a copy, while the release before answers requests on it.

A migration that stops requests does so every time; a machine that is busy with other stages does
it now and then. So a stall above the limit is measured again, up to ROUNDS times, and the smallest
of them counts. Before it is red, it is measured once without any migration.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Any

from pipelines.model.check import Finding
from pipelines.stages.migration_release import (
    STOP_SECONDS,
    Answer,
    Stopped,
    TreeRelease,
    explained,
)
from pipelines.stages.migration_scripts import CONTRACT, EXPAND, Script
from pipelines.stages.rehearsal_protocol import Database, Running

ROUNDS = 3
STATUS_SECONDS, MIGRATE_SECONDS, CHECK_SECONDS = 30.0, 90.0, 120.0
READY_SECONDS = 30.0
LONGEST_EXERCISE_SECONDS = 600.0
BEFORE_SECONDS, AFTER_SECONDS = 2.0, 1.0
"""Requests run so long before the first migration, its start included, and after the last."""
CONTROL_SECONDS = 5.0
FEWEST_REQUESTS = 30


@dataclass(frozen=True, slots=True)
class Step:
    """What was done, for people. `seconds` is how long it took."""

    what: str
    ok: bool
    seconds: float
    note: str = ""


@dataclass(slots=True)
class Outcome:
    """`stall_seconds`: the longest a request waited, of the best round; None when none ran."""

    rows: int = 0
    migrations: list[str] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)
    stall_seconds: float | None = None
    stalls: list[float] = field(default_factory=list)
    exercise: Mapping[str, Any] = field(default_factory=dict)
    closes: str = ""
    applied: tuple[str, ...] = ()
    """In the copy, before anything was done."""


class Rehearsal:
    """Of `new` scripts of `head`, with `old` serving. `path` is where findings point."""

    def __init__(
        self,
        database: Database,
        old: TreeRelease,
        head: TreeRelease,
        new: Sequence[Script],
        longest_stall_seconds: float,
    ) -> None:
        self._database, self._old, self._head = database, old, head
        self._new = {script.revision: script for script in new}
        self._limit = longest_stall_seconds
        self.outcome = Outcome()

    def run(self) -> Outcome:
        """Everything in its order. Raises Stopped with what it saw so far in `outcome`."""
        out = self.outcome
        out.rows = self._database.rows()
        origin, lacking = self._lacking()
        out.migrations = lacking
        at_the_start = self._database.schema()
        before = self._bring_up(self._old)
        expands = [r for r, s in self._new.items() if s.kind == EXPAND]
        contracts = [r for r, s in self._new.items() if s.kind == CONTRACT]
        if expands:
            self._under_requests(expands, before)
        if contracts:
            self._cycle(CONTRACT, contracts, [*before, *expands], first=True)
        if any(revision not in self._new for revision in lacking):
            self._from_the_origin(origin, at_the_start, lacking)
        return out

    def _lacking(self) -> tuple[list[str], list[str]]:
        """What is applied in the copy, and what head would apply on top. A backup of an environment
        that had this very change already is taken back to before it."""
        status = self._status(self._head)
        applied = _revisions(status["applied"])
        self.outcome.applied = tuple(applied)
        pending = [str(entry["revision"]) for entry in status["pending"]]
        origin = list(takewhile(lambda revision: revision not in self._new, applied))
        if origin != applied:
            self._down(origin)
        return origin, [*applied[len(origin) :], *pending]

    # --- expand: the release before serves all the while ------------------------------------------
    def _under_requests(self, revisions: Sequence[str], before: Sequence[str]) -> None:
        with self._old.serve(self._database.url) as api:
            self._wait_ready(api)
            for number in range(1, ROUNDS + 1):
                report = self._round(api, revisions, before, first=number == 1)
                self._count(report)
                stall = self.outcome.stall_seconds or 0.0
                if stall <= self._limit or number == ROUNDS:
                    break
                self._down(before)
            if (self.outcome.stall_seconds or 0.0) > self._limit:
                self._judge_stall(revisions, self._control(api))

    def _round(
        self, api: Running, revisions: Sequence[str], before: Sequence[str], *, first: bool
    ) -> Mapping[str, Any]:
        url = self._database.url
        with self._old.exercise(url, api.address, LONGEST_EXERCISE_SECONDS) as exercise:
            time.sleep(BEFORE_SECONDS)
            try:
                self._cycle(EXPAND, revisions, before, first=first)
                time.sleep(AFTER_SECONDS)
            except Stopped:
                self._note_errors(exercise)
                raise
            return self._report(exercise)

    def _control(self, api: Running) -> float:
        """How long requests wait while nobody migrates anything."""
        url = self._database.url
        with self._old.exercise(url, api.address, LONGEST_EXERCISE_SECONDS) as exercise:
            time.sleep(CONTROL_SECONDS)
            return float(self._report(exercise)["longest_seconds"])

    def _cycle(
        self, kind: str, revisions: Sequence[str], before: Sequence[str], *, first: bool
    ) -> None:
        schema = self._database.schema()
        self._up(kind, revisions)
        after = self._database.schema()
        if first:
            self._accepts(kind)
        self._down(before)
        self._same(schema, "down", revisions)
        self._up(kind, revisions)
        self._same(after, "up again", revisions)

    def _accepts(self, kind: str) -> None:
        """Expand: the release before says whether it can live with it. Contract: only head must,
        and what the release before says tells which ones are closed."""
        if kind == EXPAND:
            self._validate(self._old, demanded=True)
            return
        self._validate(self._head, demanded=True)
        said = self._validate(self._old, demanded=False)
        self.outcome.closes = (
            f"every release up to {self._old.what}: {said.words}" if not said.ok else ""
        )

    # --- what was merged before and is not in the backup yet --------------------------------------
    def _from_the_origin(self, origin: Sequence[str], schema: str, lacking: Sequence[str]) -> None:
        """A promotion applies it all at once: so it is rehearsed from the backup's own state too."""
        self._down(origin)
        self._same(schema, "down to the backup", lacking)
        self._bring_up(self._head)

    # --- single steps -----------------------------------------------------------------------------
    def _status(self, release: TreeRelease) -> Mapping[str, Any]:
        answer = release.command(self._database.url, "migrate", "status", seconds=STATUS_SECONDS)
        document = answer.document
        if not answer.ok or not all(
            isinstance(document.get(k), list) for k in ("applied", "pending")
        ):
            raise explained(release, "migrate status", answer, "migrations/status", "")
        return document

    def _bring_up(self, release: TreeRelease) -> list[str]:
        """Everything the release knows, kind after kind; what is applied then."""
        while True:
            status = self._status(release)
            pending = status["pending"]
            if not pending:
                return _revisions(status["applied"])
            kind = str(pending[0]["kind"])
            answer = release.command(
                self._database.url, "migrate", "up", "--kind", kind, seconds=MIGRATE_SECONDS
            )
            if not answer.ok or not answer.document.get("applied"):
                raise explained(
                    release, f"migrate up ({kind})", answer, "migrations/up", self._path()
                )

    def _up(self, kind: str, revisions: Sequence[str]) -> None:
        answer = self._head.command(
            self._database.url, "migrate", "up", "--kind", kind, seconds=MIGRATE_SECONDS
        )
        self._record(f"up ({kind})", answer)
        if not answer.ok:
            raise explained(self._head, "migrate up", answer, "migrations/up", self._path())
        applied = _revisions(answer.document.get("applied", ()))
        if applied != list(revisions):
            raise Stopped(
                Finding(
                    "migrations/up",
                    f"migrate up applied {', '.join(applied) or 'nothing'}, not"
                    f" {', '.join(revisions)}",
                    path=self._path(),
                    hint="does the application find its scripts? trading migrate status",
                )
            )

    def _down(self, before: Sequence[str]) -> None:
        to = before[-1] if before else "base"
        answer = self._head.command(
            self._database.url, "migrate", "down", "--to", to, seconds=MIGRATE_SECONDS
        )
        self._record(f"down to {to}", answer)
        if not answer.ok:
            raise explained(self._head, "migrate down", answer, "migrations/down", self._path())

    def _same(self, wanted: str, what: str, revisions: Sequence[str]) -> None:
        found = self._database.schema()
        if found == wanted:
            return
        raise Stopped(
            Finding(
                "migrations/down" if what.startswith("down") else "migrations/up",
                f"{what}: the schema is another one than before {', '.join(revisions)}:"
                f" {difference(wanted, found)}",
                path=self._path(),
                hint="DOWN must undo everything that UP does",
            )
        )

    def _validate(self, release: TreeRelease, *, demanded: bool) -> Answer:
        answer = release.command(self._database.url, "validate", seconds=CHECK_SECONDS)
        self._record(f"validate of {release.what}", answer)
        if demanded and not answer.ok:
            raise explained(
                release, "on the migrated schema, validate", answer, "migrations/validate",
                self._path(),
            )  # fmt: skip
        return answer

    def _record(self, what: str, answer: Answer) -> None:
        self.outcome.steps.append(Step(what, answer.ok, answer.seconds, answer.words))

    # --- requests ---------------------------------------------------------------------------------
    def _wait_ready(self, api: Running) -> None:
        deadline = time.monotonic() + READY_SECONDS
        status, words = 0, ""
        while api.alive() and time.monotonic() < deadline:
            status, words = api.get("/health/ready")
            if status == 200:
                return
            time.sleep(0.1)
        raise Stopped(
            Finding(
                "migrations/serving",
                f"{self._old.what} does not get ready on the copy: {status or ''} {words[-300:]}",
                hint="it could serve nobody while migrating, so nothing was rehearsed",
            )
        )

    def _report(self, exercise: Running) -> Mapping[str, Any]:
        alive = exercise.alive()
        code, document, words = exercise.end(STOP_SECONDS)
        right = isinstance(document, dict) and all(
            isinstance(document.get(name), int | float) and not isinstance(document[name], bool)
            for name in ("requests", "errors", "writes", "longest_seconds")
        )
        if not alive or not right or code not in (0, 1):
            raise Stopped(
                Finding(
                    "migrations/exercise",
                    f"the exercise of {self._old.what} ended by itself or made no report: "
                    f"{words[-300:]}",
                    hint="without requests nothing is known about those who wait",
                ),
                broken=True,
            )
        return dict(document)

    def _note_errors(self, exercise: Running) -> None:
        """The step failed; what the requests saw meanwhile is told as well, if they saw something."""
        _, document, _ = exercise.end(STOP_SECONDS)
        if isinstance(document, dict) and document.get("errors"):
            self.outcome.exercise = document
            self.outcome.findings.append(self._errors(document))

    def _count(self, report: Mapping[str, Any]) -> None:
        """Errors are never measured away."""
        out = self.outcome
        stall = float(report["longest_seconds"])
        out.stalls.append(stall)
        if out.stall_seconds is None or stall < out.stall_seconds:
            out.stall_seconds, out.exercise = stall, report
        if report["errors"]:
            out.stall_seconds, out.exercise = stall, report
            raise Stopped(self._errors(report))
        if report["requests"] < FEWEST_REQUESTS or report["writes"] < 1:
            raise Stopped(
                Finding(
                    "migrations/exercise",
                    f"only {report['requests']} requests and {report['writes']} writes ran while"
                    " migrating: too few to know anything",
                    hint="are orders refused on this copy (kill switch, limits)?",
                )
            )

    def _errors(self, report: Mapping[str, Any]) -> Finding:
        problems = [str(problem) for problem in report.get("problems", ())]
        return Finding(
            "migrations/requests",
            f"{report['errors']} of {report['requests']} requests to {self._old.what} failed while"
            f" migrating: {'; '.join(problems)[:400]}",
            path=self._path(),
            hint="old code must work before, during and after an expand migration",
        )

    def _judge_stall(self, revisions: Sequence[str], control: float) -> None:
        """Red in any case; a machine on which requests wait by themselves is told as that."""
        stall = self.outcome.stall_seconds or 0.0
        if control > self._limit:
            raise Stopped(
                Finding(
                    "migrations/busy",
                    f"this machine is too busy to tell: requests waited {control * 1000:.0f} ms"
                    f" without any migration, and {stall * 1000:.0f} ms with it",
                    hint="try again when less runs here: slipway check --stage migrations",
                ),
                broken=True,
            )
        slowest: Mapping[str, Any] = next(iter(self.outcome.exercise.get("slowest", ())), {})
        self.outcome.findings.append(
            Finding(
                "migrations/stall",
                f"{', '.join(revisions)}: a request waited {stall * 1000:.0f} ms"
                f" ({slowest.get('what', 'unknown')}), at most {self._limit * 1000:.0f} ms are"
                f" allowed; the least of {len(self.outcome.stalls)} rounds",
                path=self._path(),
                hint="take no lock that readers or writers wait for: add columns without rewriting,"
                " build indexes concurrently, validate constraints in a step of their own",
            )
        )

    def _path(self) -> str:
        return next((script.path for script in self._new.values()), "")


def _revisions(said: Iterable[object]) -> list[str]:
    return [str(revision) for revision in said]


def difference(wanted: str, found: str) -> str:
    """The first lines that are only in one of the two."""
    before, after = wanted.splitlines(), found.splitlines()
    left = [f"-{line.strip()}" for line in before if line not in set(after)]
    added = [f"+{line.strip()}" for line in after if line not in set(before)]
    return " ".join([*left[:3], *added[:3]])[:300] or "the order of its parts"
