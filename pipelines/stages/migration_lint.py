"""What squawk says about the SQL of a migration, and that it really said something.

A finding counts as an error, but for advice about style. Rules that are left out stand in LEFT_OUT
with what covers them instead.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pipelines.model.check import Finding
from pipelines.stages.migration_scripts import CONTRACT, Script
from pipelines.stages.protocol import Done, Workshop

POSTGRESQL = "18"
SECONDS = 30.0
LEFT_OUT = {
    "require-lock-timeout": "`migrate up` sets lock_timeout = 100 ms before every statement itself,"
    " and tries again; a script may not set it",
    "require-statement-timeout": "the rehearsal measures how long requests wait on a copy of the"
    " data; a fixed limit would cut the concurrent build of an index, which nobody waits for",
}
LEFT_OUT_OF_CONTRACT = {
    rule: "taking away what older code needs is what a contract migration is for: it runs by hand,"
    " after the window, and names the releases it closes"
    for rule in ("ban-drop-column", "ban-drop-table", "ban-drop-not-null", "renaming-column",
                 "renaming-table")
}  # fmt: skip
ADVICE = "prefer-"
ROBUST = "prefer-robust-stmts"
"""Advice inside a transaction; outside of one a script is repeated from its start."""
_CANARY = "alter table t add column c int;\ncreate index i on t (c);\n"
_CANARY_RULE = "require-concurrent-index-creation"
_OWN_TIMEOUT = re.compile(r"\b(set\s+(local\s+|session\s+)?|set_config\s*\(\s*')lock_timeout", re.I)


class LintBroken(Exception):
    """The tool is missing, hangs, or answers something that is no answer. Words for people."""


class Squawk:
    """One program in the tools' environment, tried on a statement it must object to."""

    def __init__(self, workshop: Workshop) -> None:
        self._workshop = workshop
        self._program = workshop.environments.tools() / "squawk"
        self._folder = workshop.folder / "sql"
        self._folder.mkdir(parents=True, exist_ok=True)

    def version(self) -> str:
        """Raises LintBroken."""
        done = self._run("--version")
        words = done.out.split()
        if done.code != 0 or len(words) != 2 or words[0] != "squawk":
            raise LintBroken(f"squawk does not say its version: {_words(done)}")
        return words[1]

    def prove(self) -> None:
        """Raises LintBroken when it has no objection to what it must object to."""
        rules = {entry["rule_name"] for entry in self._ask("canary", _CANARY, True, ())}
        if _CANARY_RULE not in rules:
            raise LintBroken("squawk does not object to CREATE INDEX without CONCURRENTLY")

    def judge(self, script: Script) -> list[Finding]:
        """Raises LintBroken."""
        left_out = [*LEFT_OUT, *(LEFT_OUT_OF_CONTRACT if script.kind == CONTRACT else ())]
        name = re.sub(r"[^A-Za-z0-9_]", "_", script.revision)[:60] or "script"
        entries = self._ask(name, script.up, script.transactional, left_out)
        return [_finding(script, entry) for entry in entries] + _own_timeout(script)

    def _ask(
        self, name: str, sql: str, transactional: bool, left_out: Sequence[str]
    ) -> list[Mapping[str, Any]]:
        file = self._folder / f"{name}.sql"
        file.write_text(sql, "utf-8")
        options = ["--reporter", "json", "--pg-version", POSTGRESQL]
        if transactional:
            options.append("--assume-in-transaction")
        if left_out:
            options += ["--exclude", ",".join(left_out)]
        return _answer(self._run(*options, file))

    def _run(self, *arguments: str | Path) -> Done:
        return self._workshop.programs.run(
            [self._program, *arguments], folder=self._folder, seconds=SECONDS
        )


def _answer(done: Done) -> list[Mapping[str, Any]]:
    """0 with nothing, or 1 with findings; everything else is no answer."""
    if done.why:
        raise LintBroken(f"squawk gave no answer: {_words(done)}")
    try:
        entries = json.loads(done.out)
        right = isinstance(entries, list) and all(
            isinstance(entry["rule_name"], str)
            and isinstance(entry["message"], str)
            and isinstance(entry["line"], int)
            for entry in entries
        )
    except (ValueError, LookupError, TypeError):
        right = False
    if not right or done.code != (1 if entries else 0):
        raise LintBroken(f"squawk answered with {done.code} and no list: {_words(done)}")
    return list(entries)


def _words(done: Done) -> str:
    said = {"missing": "it is not there", "timeout": f"it did not end within {SECONDS:g} s"}
    text = (done.err.strip() or done.out.strip() or f"exit code {done.code}").splitlines()[0]
    return said.get(done.why, done.why or text[:200])


def _finding(script: Script, entry: Mapping[str, Any]) -> Finding:
    rule = entry["rule_name"]
    advice = rule.startswith(ADVICE) and not (rule == ROBUST and not script.transactional)
    return Finding(
        f"squawk/{rule}",
        f"{script.revision}: {entry['message']}",
        "warning" if advice else "error",
        path=script.path,
        line=script.up_line + entry["line"],
        hint=str(entry.get("help") or ""),
    )


def _own_timeout(script: Script) -> list[Finding]:
    if not _OWN_TIMEOUT.search(script.up):
        return []
    return [
        Finding(
            "migrations/lock-timeout",
            f"{script.revision} sets lock_timeout: `migrate up` does, so that nobody ever waits"
            " behind a migration",
            path=script.path,
            line=script.up_line,
            hint="leave it out; a lock that is busy is tried again",
        )
    ]
