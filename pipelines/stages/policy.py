"""Stage policy: name, flow, pull-request text, isolation of strategies, and the rules themselves.

Data come from the branch the merge goes to; where it has no policies at all, from this engine.
Whether enough people approved is judged when it is merged.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from pipelines.model.check import FAILED, PASSED, Change, Finding, StageResult, Tree
from pipelines.model.errors import BadInput
from pipelines.stages.policy_change import judge_rooms
from pipelines.stages.protocol import Options, Workshop
from pipelines.stages.report_json import canonical
from pipelines.stages.values_changes import values_changes
from policies import codeowners, rooms, strategies
from policies.policy import file_of

RULES = ("branch_names", "branch_flow", "pull_request", "strategy_isolation")
READS = ("policies", "environments", ".github")
"""What is read of a tree: the paths at its top."""
_ORDER = {"error": 0, "warning": 1, "note": 2}


class PolicyStage:
    """Reads texts only, starts nothing."""

    name = "policy"

    def touched(self, change: Change) -> bool:
        """Every change has a name and goes somewhere."""
        return True

    def inputs(self, change: Change, options: Options) -> Mapping[str, str]:
        """Digests; a change's texts lie in trees whose ids are here."""
        trees = {"head": change.head, "base": change.base, "rules": change.rules}
        found = {
            f"{side}:{part}": tree.objects.get(part, "")
            for side, tree in trees.items()
            for part in READS
        }
        asked = {
            "branch": change.branch,
            "target": change.target,
            "starts_from": change.starts_from,
            "files": [asdict(file) for file in change.files],
            "pull_request": change.pull_request,
            "everything": change.everything,
        }
        return {**found, "change": hashlib.sha256(canonical(asked).encode()).hexdigest()}

    def run(self, change: Change, workshop: Workshop) -> StageResult:
        judged = judge_change(change)
        count = Counter(finding.severity for finding in judged.findings)
        words = [f"{len(RULES)} rules" + (f" and {judged.cases} cases" if judged.cases else "")]
        words += [f"{count[s]} {s}{'s' * (count[s] > 1)}" for s in _ORDER if count[s]]
        return StageResult(
            stage=self.name,
            status=FAILED if count["error"] else PASSED,
            summary=", ".join(words),
            findings=judged.findings,
            samples=len(RULES) + judged.cases,
            document={
                "branch": change.branch,
                "target": change.target,
                "rules": dict(judged.rules),
                "cases": judged.cases,
                "findings": [asdict(finding) for finding in judged.findings],
            },
            inputs=self.inputs(change, workshop.options),
            markdown=_markdown(change, judged.findings),
        )


@dataclass(frozen=True, slots=True)
class Judged:
    """`rules`: sha256 of the policy each rule was judged by. `cases`: of changed rooms."""

    findings: tuple[Finding, ...]
    rules: Mapping[str, str]
    cases: int


def judge_change(change: Change) -> Judged:
    """Findings, errors first. A policy that is broken is one, never an exception."""
    findings: list[Finding] = []
    cases = 0
    facts = _facts(change, findings)
    digests = {rule: _judge_by(change.rules, rule, facts, findings) for rule in RULES}
    if change.touches("policies/"):
        rooms_found, cases = judge_rooms(change.head, change.rules)
        findings += rooms_found
        if change.head.objects.get("policies"):
            _judge_by_the_new(change, facts, findings)
    if change.touches(codeowners.FILE):
        findings += _owners(change.head)
    ordered = sorted(dict.fromkeys(findings), key=lambda f: _ORDER.get(f.severity, 0))
    return Judged(tuple(ordered), digests, cases)


def _facts(change: Change, findings: list[Finding]) -> dict[str, dict[str, Any]]:
    """Facts by rule; what is wrong with the files they come from is a finding."""
    try:
        values = [asdict(found) for found in values_changes(change)]
    except BadInput as error:
        findings.append(_broken("policy/values", "", error))
        values = []
    paths = [path for file in change.files for path in file.paths]
    plugins = [value[side] for value in values for side in ("before", "after")]
    flow: dict[str, Any] = {"action": "merge", "branch": change.branch, "target": change.target}
    if change.starts_from is not None:
        flow["starts_from"] = list(change.starts_from)
    return {
        "branch_names": {"name": change.branch},
        "branch_flow": flow,
        "pull_request": {
            "text": change.pull_request,
            "local": change.pull_request is None,
            "strategies": list(strategies.touched(paths, plugins)),
        },
        "strategy_isolation": {
            "branch": change.branch,
            "files": paths,
            "values": values,
            "codeowners": change.rules.text(codeowners.FILE) or "",
        },
    }


def _judge_by(
    rules: Tree, rule: str, facts: Mapping[str, Mapping[str, Any]], findings: list[Finding]
) -> str:
    """The digest of the policy that was used."""
    text = rules.text(file_of(rule))
    if text is None and rules.objects.get("policies"):
        words = f"{file_of(rule)} is missing on the branch this goes to"
        findings.append(Finding("policies", words, path=file_of(rule), hint="bring it back"))
    if text is None:
        text = rooms.packaged_text(rule, "policy.yaml")
    try:
        findings += rooms.judge(rule, facts[rule], rooms.load_data(rule, text))
    except BadInput as error:
        findings.append(_broken("policies", file_of(rule), error))
    return hashlib.sha256(text.encode()).hexdigest()


def _judge_by_the_new(
    change: Change, facts: Mapping[str, Mapping[str, Any]], findings: list[Finding]
) -> None:
    """A change of the rules must itself obey what it brings. What cannot be read is told already."""
    for rule in RULES:
        text = change.head.text(file_of(rule))
        if text is None or text == change.rules.text(file_of(rule)):
            continue
        try:
            found = rooms.judge(rule, facts[rule], rooms.load_data(rule, text))
        except BadInput:
            continue
        known = {finding.message for finding in findings}
        for finding in found:
            if finding.message not in known:
                words = f"by the new rules: {finding.message}"
                findings.append(
                    Finding(finding.rule, words, finding.severity, finding.path, hint=finding.hint)
                )


def _owners(head: Tree) -> list[Finding]:
    text = head.text(codeowners.FILE)
    if text is None:
        words = f"{codeowners.FILE} is gone, so nobody owns anything"
        return [Finding("reviews", words, path=codeowners.FILE, hint="bring it back")]
    try:
        codeowners.parse(text)
    except BadInput as error:
        return [_broken("reviews", codeowners.FILE, error)]
    return []


def _broken(rule: str, path: str, error: BadInput) -> Finding:
    return Finding(rule, error.message, path=path, hint=error.hint)


def _markdown(change: Change, findings: tuple[Finding, ...]) -> str:
    lines = [f"`{change.branch}` → `{change.target}`", ""]
    for finding in findings:
        hint = f" — {finding.hint}" if finding.hint else ""
        lines.append(f"- **{finding.severity}** {finding.rule}: {finding.message}{hint}")
    return "\n".join(lines if findings else [*lines, "Name, flow, text and isolation are fine."])
