"""The rules as they stand: what each says, whether its cases come out, and what it says about HEAD."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from pipelines.model.check import Change, Finding
from pipelines.model.errors import BadInput
from pipelines.stages.policy import RULES as ON_CHANGES
from pipelines.stages.policy import judge_change
from policies import cases, rooms


@dataclass(frozen=True, slots=True)
class Row:
    """One rule. `cases` are names of good and bad ones; `findings` errors first."""

    rule: str
    title: str
    why: str
    severity: str
    data: Mapping[str, Any]
    good: tuple[str, ...]
    bad: tuple[str, ...]
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        return not any(finding.severity == "error" for finding in self.findings)

    @property
    def message(self) -> str:
        """The worst finding, or what was looked at."""
        if self.findings:
            more = len(self.findings) - 1
            return self.findings[0].message + (f" (and {more} more)" if more else "")
        count = len(self.good) + len(self.bad)
        here = ", and what HEAD would merge" if self.rule in ON_CHANGES else ""
        return f"{count} cases{here}"


def chosen(names: Sequence[str]) -> tuple[str, ...]:
    """The rules of these names in the order of the rooms, all when none is given. BadInput for an
    unknown one."""
    for name in names:
        if name not in rooms.RULES:
            rooms.packaged_text(name, "policy.yaml")  # raises, with a guess
    return tuple(rule for rule in rooms.RULES if not names or rule in names)


def overview(change: Change | None, names: Sequence[str]) -> list[Row]:
    """The rules of HEAD and what they say about it; without a change, those of this engine.

    A room that is broken is a row with its finding.
    """
    found = _of_change(change) if change is not None else _of_engine()
    return [_row(rule, change, found) for rule in chosen(names)]


def judge_name(name: str) -> list[Finding]:
    """What the engine's own rule says about a branch name."""
    return rooms.judge("branch_names", {"name": name}, rooms.packaged_data("branch_names"))


def _of_change(change: Change) -> list[Finding]:
    return list(judge_change(replace(change, everything=True)).findings)


def _of_engine() -> list[Finding]:
    found = []
    for rule in rooms.RULES:
        data = rooms.packaged_data(rule)
        for case in cases.parse(rule, rooms.packaged_text(rule, "cases.yaml")):
            if words := cases.complaint(case, data):
                message = f"policies/{rule}: its case {case.name!r} {words}"
                found.append(Finding("policies", message, path=f"policies/{rule}/cases.yaml"))
    return found


def _row(rule: str, change: Change | None, found: Sequence[Finding]) -> Row:
    mine = tuple(finding for finding in found if _about(finding, rule))
    try:
        read = rooms.load_policy(rule, _text(rule, "policy.yaml", change))
        known = cases.parse(rule, _text(rule, "cases.yaml", change))
    except BadInput as error:
        broken = Finding("policies", error.message, hint=error.hint)
        return Row(rule, "", "", "error", {}, (), (), mine or (broken,))
    return Row(
        rule=rule,
        title=read.title,
        why=read.why,
        severity=read.severity,
        data=read.data,
        good=tuple(case.name for case in known if case.good),
        bad=tuple(case.name for case in known if not case.good),
        findings=mine,
    )


def _text(rule: str, file: str, change: Change | None) -> str:
    text = change.head.text(f"policies/{rule}/{file}") if change is not None else None
    return rooms.packaged_text(rule, file) if text is None else text


def _about(finding: Finding, rule: str) -> bool:
    if finding.rule == "policies":
        return finding.path.startswith(f"policies/{rule}/")
    return finding.rule.split("/")[0] == rule or (
        finding.rule == "policy/values" and rule == "strategy_isolation"
    )
