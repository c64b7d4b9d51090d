"""The report of a check as SARIF 2.1.0 (OASIS): one run for each tool, for code scanning."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from pipelines.model.check import BROKEN, UNTOUCHED, Finding, Report, StageResult
from pipelines.stages.report_text import plain

SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"
OWN = "slipway"
_LEVELS = {"error": "error", "warning": "warning", "note": "note"}


def report_sarif(report: Report) -> dict[str, Any]:
    """A tool that found nothing has a run too: its earlier alerts are then closed."""
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [
            _run(report, stage, tool, version)
            for stage in report.stages
            if stage.status != UNTOUCHED
            for tool, version in sorted(_tools(stage).items())
        ],
    }


def _tools(stage: StageResult) -> dict[str, str]:
    """Every tool of a stage with its version, and those that only a finding names."""
    named = {_tool(finding.rule): "" for finding in stage.findings}
    return {OWN: "", **named, **stage.tools}


def _tool(rule: str) -> str:
    """`ruff/E501` was found by ruff; a rule of a stage, or without a tool, by Slipway."""
    tool, slash, _ = rule.partition("/")
    return tool if slash else OWN


def _run(report: Report, stage: StageResult, tool: str, version: str) -> dict[str, Any]:
    findings = [finding for finding in stage.findings if _tool(finding.rule) == tool]
    rules = sorted({finding.rule for finding in findings})
    driver: Mapping[str, Any] = {
        "name": tool,
        **({"version": version} if version else {}),
        "rules": [{"id": rule, "shortDescription": {"text": rule}} for rule in rules],
    }
    return {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"slipway/{stage.stage}/{tool}/"},
        "invocations": [{"executionSuccessful": stage.status != BROKEN}],
        "properties": {"commit": report.commit, "branch": plain(report.branch)},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, rules) for finding in findings],
    }


def _result(finding: Finding, rules: list[str]) -> dict[str, Any]:
    message = plain(finding.message) or finding.rule
    hint = f" → {plain(finding.hint)}" if finding.hint else ""
    identity = "\0".join((finding.rule, finding.path, finding.message))
    result: dict[str, Any] = {
        "ruleId": finding.rule,
        "ruleIndex": rules.index(finding.rule),
        "level": _LEVELS.get(finding.severity, "error"),
        "message": {"text": message + hint},
        "partialFingerprints": {"slipway/v1": hashlib.sha256(identity.encode()).hexdigest()},
    }
    if finding.path:
        place: dict[str, Any] = {
            "artifactLocation": {"uri": quote(finding.path), "uriBaseId": "%SRCROOT%"}
        }
        if finding.line > 0:
            place["region"] = {"startLine": finding.line}
        result["locations"] = [{"physicalLocation": place}]
    return result
