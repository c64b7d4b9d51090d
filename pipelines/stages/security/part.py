"""What one part of the stage found: dependencies, code, secrets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from pipelines.model.check import Finding


@dataclass(frozen=True, slots=True)
class Part:
    """`broken` says in words why the part could not do its work; empty when it did. `samples` counts
    `what` (pins, files, lines). `document` and `observed` as in a StageResult."""

    name: str
    what: str
    samples: int
    findings: tuple[Finding, ...] = ()
    broken: str = ""
    hint: str = ""
    document: Mapping[str, Any] = field(default_factory=dict)
    observed: Mapping[str, Any] = field(default_factory=dict)
    tools: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)

    @property
    def errors(self) -> int:
        return sum(finding.severity == "error" for finding in self.findings)


class Broken(Exception):
    """A scanner is missing, hangs, crashes or answers something that cannot be believed."""

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
