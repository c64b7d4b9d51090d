"""`policy.yaml` of a room: who reads it gets every word checked, or BadInput naming it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.model import yaml_strict
from pipelines.model.fields import Fields

SEVERITIES = ("error", "warning")


@dataclass(frozen=True, slots=True)
class Policy:
    """`data` is the rule's own; `severity` is what its refusals count as."""

    rule: str
    title: str
    why: str
    severity: str
    data: Mapping[str, Any]


def file_of(rule: str) -> str:
    return f"policies/{rule}/policy.yaml"


def parse(rule: str, text: str) -> Policy:
    """Raises BadInput naming file, key, value and remedy. The data are not looked into here."""
    file = file_of(rule)
    fields = Fields(file, yaml_strict.load(text, file), ("title", "why", "severity", "data"))
    return Policy(
        rule=rule,
        title=fields.text("title"),
        why=fields.text("why"),
        severity=fields.choice("severity", SEVERITIES),
        data=fields.mapping("data"),
    )
