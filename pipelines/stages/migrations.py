"""Stage `migrations`: scripts are linted, and rehearsed on a copy while the release before serves.

What is judged, by whom: the chain and what is merged already (`migration_history`), the SQL (squawk,
`migration_lint`), the rules of `policies/migrations`, and the rehearsal (`migration_rehearsal`).
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Mapping
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

from pipelines.model.check import (
    BROKEN,
    FAILED,
    PASSED,
    UNTOUCHED,
    Change,
    Finding,
    StageResult,
)
from pipelines.model.errors import BadInput, SlipwayError
from pipelines.model.source import PARTS
from pipelines.stages import migration_history, migration_report
from pipelines.stages.migration_history import History
from pipelines.stages.migration_lint import POSTGRESQL, LintBroken, Squawk
from pipelines.stages.migration_policy import Limits, limits, policy_findings, policy_text
from pipelines.stages.migration_rehearsal import MIGRATE_SECONDS, Outcome, Rehearsal
from pipelines.stages.migration_release import Stopped, TreeRelease, explained
from pipelines.stages.migration_scripts import Script
from pipelines.stages.protocol import Options, Workshop
from pipelines.stages.rehearsal_protocol import Database

GENERATED_FORMAT = "1"
"""Part of the key of a generated copy: another way of making it is another copy."""
POPULATE_SECONDS = 300.0


class MigrationsStage:
    """Implements stages.protocol.Stage."""

    @property
    def name(self) -> str:
        return "migrations"

    def touched(self, change: Change) -> bool:
        """Whatever makes another release: what is merged and waits in the target's newest backup
        must have been rehearsed with this release too, before it is promoted."""
        return change.touches(*(f"{part}/" for part in PARTS))

    def inputs(self, change: Change, options: Options) -> Mapping[str, str]:
        policy = hashlib.sha256(policy_text(change).encode()).hexdigest()
        trees = {"head": change.head, "base": change.base, "rules": change.rules}
        return {
            **{f"{name}:app": tree.objects.get("app", "") for name, tree in trees.items()},
            "rules:environments": change.rules.objects.get("environments", ""),
            "policy": policy,
            "branch": change.branch.partition("/")[0],
            "backup": str(options.backup or "generated"),
        }

    def run(self, change: Change, workshop: Workshop) -> StageResult:
        try:
            return _Run(change, workshop).result()
        except BadInput as error:
            finding = Finding("migrations/application", error.message, hint=error.hint)
            return StageResult(self.name, FAILED, error.message, (finding,))


class _Run:
    """One run. Nothing is rehearsed that was refused already: its errors say enough."""

    def __init__(self, change: Change, workshop: Workshop) -> None:
        self._change, self._workshop = change, workshop
        self._limits: Limits = limits(change)
        self._history: History = migration_history.judge(change)
        self._findings: list[Finding] = list(self._history.findings)
        self._tools: dict[str, str] = {}
        self._outcome: Outcome | None = None
        self._observed: dict[str, Any] = {}
        self._broken = ""

    def result(self) -> StageResult:
        if self._settled():
            return self._untouched()
        try:
            self._lint()
            if not self._errors() and self._to_rehearse():
                self._rehearse()
        except LintBroken as error:
            self._break("migrations/squawk", str(error), "is it in the environment of the tools?")
        except Stopped as stop:
            self._findings.append(stop.finding)
            self._broken = stop.finding.message if stop.broken else self._broken
        except SlipwayError as error:
            self._break("migrations/rehearsal", error.message, error.hint)
        if self._outcome is not None:
            self._findings += self._outcome.findings
        quiet = not self._change.everything and not self._history.new and not self._findings
        nothing = self._outcome is not None and not self._outcome.migrations
        return self._untouched() if quiet and nothing else self._made()

    def _settled(self) -> bool:
        """No script is new, and the newest backup is known to lack none."""
        change, history, workshop = self._change, self._history, self._workshop
        if change.everything or history.new or history.findings:
            return False
        if workshop.options.backup is None or workshop.rehearsals is None:
            return True
        applied = workshop.rehearsals.recall(workshop.options.backup)
        return applied is not None and history.head.by_revision().keys() <= {*applied}

    def _untouched(self) -> StageResult:
        return StageResult(
            "migrations", UNTOUCHED, "no migration is new, none waits in the newest backup"
        )

    # --- lint -------------------------------------------------------------------------------------
    def _linted(self) -> tuple[Script, ...]:
        return self._history.head.scripts if self._change.everything else self._history.new

    def _lint(self) -> None:
        self._findings += policy_findings(self._change, self._history)
        squawk = Squawk(self._workshop)
        self._tools = {"squawk": squawk.version(), "postgresql": POSTGRESQL}
        squawk.prove()
        for script in self._linted():
            said = squawk.judge(script)
            # What is merged cannot be changed any more; it is told, no more.
            self._findings += said if script in self._history.new else map(_told, said)

    # --- rehearsal --------------------------------------------------------------------------------
    def _to_rehearse(self) -> bool:
        """A backup may lack what was merged long ago."""
        return bool(self._history.new) or self._workshop.options.backup is not None

    def _rehearse(self) -> None:
        change, workshop = self._change, self._workshop
        if workshop.rehearsals is None:
            raise Stopped(
                Finding("migrations/rehearsal", "this machine offers no database to rehearse on"),
                broken=True,
            )
        old = TreeRelease(
            workshop, change.rules, f"{change.target}@{change.rules.commit[:12]}", self._at("old")
        )
        head = TreeRelease(
            workshop, change.head, f"{change.branch}@{change.head.commit[:12]}", self._at("head")
        )
        began = time.monotonic()
        workshop.say("a copy to rehearse on")
        with self._copy(old) as database:
            self._observed["copy_seconds"] = round(time.monotonic() - began, 2)
            workshop.say("up, down and up again, while the release before answers requests")
            rehearsal = Rehearsal(
                database, old, head, self._history.new, self._limits.longest_stall_seconds
            )
            self._outcome = rehearsal.outcome
            try:
                rehearsal.run()
            finally:
                self._observed["seconds"] = round(time.monotonic() - began, 2)
                self._remember(rehearsal.outcome)

    def _remember(self, outcome: Outcome) -> None:
        rehearsals, backup = self._workshop.rehearsals, self._workshop.options.backup
        if rehearsals is not None and backup is not None and outcome.applied:
            rehearsals.remember(backup, outcome.applied)

    def _copy(self, old: TreeRelease) -> AbstractContextManager[Database]:
        rehearsals, backup = self._workshop.rehearsals, self._workshop.options.backup
        assert rehearsals is not None  # asked before
        folder = self._at("database")
        if backup is not None:
            return rehearsals.restored(folder, backup)
        return rehearsals.generated(folder, self._key(), lambda database: self._fill(old, database))

    def _key(self) -> str:
        said = f"{GENERATED_FORMAT} {self._change.rules.objects.get('app')} {self._limits.rows}"
        return hashlib.sha256(said.encode()).hexdigest()[:24]

    def _fill(self, old: TreeRelease, database: Database) -> None:
        """By the release before: its schema, its rows."""
        self._workshop.say(f"{self._limits.rows:,} rows are generated, once for {old.what}")
        rows = str(self._limits.rows)
        for name, arguments, seconds in (
            ("migrate", ("up",), MIGRATE_SECONDS),
            ("populate", ("--rows", rows), POPULATE_SECONDS),
        ):
            answer = old.command(database.url, name, *arguments, seconds=seconds)
            if not answer.ok:
                raise explained(old, name, answer, "migrations/copy", "")
        database.activate(f"r-{old.tree.commit[:16]}")

    def _at(self, name: str) -> Path:
        folder = self._workshop.folder / name
        folder.mkdir(parents=True, exist_ok=True)
        return folder

    # --- result -----------------------------------------------------------------------------------
    def _break(self, rule: str, message: str, hint: str) -> None:
        self._broken = message
        self._findings.append(Finding(rule, message, hint=hint))

    def _errors(self) -> list[Finding]:
        return [finding for finding in self._findings if finding.severity == "error"]

    def _made(self) -> StageResult:
        errors = self._errors()
        status = BROKEN if self._broken else FAILED if errors else PASSED
        backup = self._workshop.options.backup
        facts = migration_report.Facts(
            history=self._history,
            outcome=self._outcome,
            ok=not errors,
            backup=str(backup or ""),
            limits=self._limits,
            observed=self._observed,
        )
        summary = self._broken or (errors[0].message if errors else migration_report.summary(facts))
        return StageResult(
            "migrations",
            status,
            summary.splitlines()[0][:200],
            tuple(self._findings),
            samples=len(self._history.head.scripts) + (self._outcome is not None),
            document=migration_report.document(facts),
            observed=migration_report.observed(facts),
            tools=self._tools,
            markdown=migration_report.markdown(facts),
        )


def _told(finding: Finding) -> Finding:
    return replace(finding, severity="warning") if finding.severity == "error" else finding
