"""What the application's `examine` answered, as findings; strictly, for it is the gate's word."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.model.check import Finding
from pipelines.stages.protocol import Done
from pipelines.stages.strategy_plan import Target
from policies import strategies

_PLACE = re.compile(r"(?P<file>[\w./-]+\.py):(?P<line>\d+): (?P<words>.+)", re.DOTALL)
_NOT_MADE = "not examined"
_OF_RISK = ("risk ", "trades", "out of sample", "degradation out of sample")
_MOST_FINDINGS = 20
HINT = "docs/strategies.md says what each check means and how to pass it"


class AnswerBroken(Exception):
    """The examination could not be made, or its answer is none. Says why in words."""


class InputRefused(Exception):
    """The application refuses what it was asked, in words: a matter of the change."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`samples` of all checks together; `red` when a check failed that is an error."""

    document: Mapping[str, Any]
    observed: Mapping[str, Any]
    findings: tuple[Finding, ...]
    samples: int
    checks: int

    @property
    def red(self) -> bool:
        return any(finding.severity == "error" for finding in self.findings)


def read(done: Done, target: Target, risk_severity: str) -> Answer:
    """Raises AnswerBroken, InputRefused."""
    said = _document(done)
    if done.code == 2 and isinstance(said.get("message"), str):
        raise InputRefused(said["message"][:1000])
    document, observed = said.get("document"), said.get("observed")
    checks = document.get("checks") if isinstance(document, dict) else None
    if done.code not in (0, 1) or not isinstance(document, dict) or not _sound(checks):
        raise AnswerBroken(_why(done, said))
    assert isinstance(checks, list)
    good = all(check["ok"] for check in checks)
    if not (said.get("ok") is document.get("ok") is good is (done.code == 0)):
        raise AnswerBroken("its verdict and its checks contradict each other")
    findings = tuple(
        finding for check in checks if not check["ok"] for finding in _findings(check, target, risk_severity)
    )  # fmt: skip
    return Answer(
        document,
        observed if isinstance(observed, dict) else {},
        findings,
        sum(check["samples"] for check in checks),
        len(checks),
    )


def _document(done: Done) -> dict[str, Any]:
    if done.why:
        reason = {"timeout": "it did not end in time", "missing": "its interpreter is missing"}
        raise AnswerBroken(reason.get(done.why, f"it was ended: {done.why}"))
    try:
        said = json.loads(done.out)
    except (ValueError, RecursionError):
        raise AnswerBroken(
            f"it answered no JSON: {(done.out or done.err).strip()[-300:]!r}"
        ) from None
    if not isinstance(said, dict):
        raise AnswerBroken(f"it answered no object: {done.out[:100]!r}")
    return said


def _sound(checks: object) -> bool:
    """A list of checks, not empty, none that is good and looked at nothing."""
    if not isinstance(checks, list) or not checks:
        return False
    return all(
        isinstance(check, dict)
        and isinstance(check.get("name"), str)
        and isinstance(check.get("ok"), bool)
        and isinstance(check.get("message"), str)
        and type(check.get("samples")) is int
        and isinstance(check.get("details"), list)
        and (check["samples"] > 0 or not check["ok"])
        for check in checks
    )


def _why(done: Done, said: Mapping[str, Any]) -> str:
    if isinstance(said.get("message"), str):
        return f"{said.get('error', 'error')}: {said['message']}"[:1000]
    return f"exit code {done.code} and no sound list of checks"


def _findings(check: Mapping[str, Any], target: Target, risk_severity: str) -> Iterator[Finding]:
    rule = f"strategy/{check['name'].replace(' ', '-')}"
    severity = risk_severity if check["name"].startswith(_OF_RISK) else "error"
    folder = strategies.folder(target.plugin)
    if check["message"].startswith(_NOT_MADE):
        # What stopped it is an error of its own; alone this would let nothing through either.
        severity = "error"
    places = [_PLACE.fullmatch(str(detail)) for detail in check["details"][:_MOST_FINDINGS]]
    if check["details"] and all(places):
        for place in places:
            assert place is not None
            path, line = folder + place["file"], int(place["line"])
            words = f"{target.name}: {place['words']}"
            yield Finding(rule, words, severity, path, line, HINT)
        return
    words = f"{target.name}: {check['name']}: {check['message']}"
    yield Finding(rule, words, severity, f"{folder}__init__.py", 0, HINT)
