"""A report as JSON (docs/check.md describes it) and a stage's result back from it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from pipelines.model.check import Attachment, Finding, Report, StageResult

SCHEMA = 1


def report_document(report: Report) -> dict[str, Any]:
    """What `slipway check --format json` prints."""
    return {
        "schema": SCHEMA,
        "branch": report.branch,
        "target": report.target,
        "commit": report.commit,
        "base_commit": report.base_commit,
        "source": report.source,
        "passed": report.passed,
        "seconds": round(report.seconds, 3),
        "notes": list(report.notes),
        "stages": [stage_document(stage) for stage in report.stages],
    }


def report_from(document: Mapping[str, Any]) -> Report:
    """The reverse. Raises ValueError when it is nothing that `report_document` wrote."""
    try:
        if document["schema"] != SCHEMA:
            raise ValueError(f"schema {document['schema']!r}, this engine reads {SCHEMA}")
        return Report(
            branch=document["branch"],
            target=document["target"],
            commit=document["commit"],
            base_commit=document["base_commit"],
            source=document["source"],
            stages=tuple(stage_from(stage) for stage in document["stages"]),
            notes=tuple(document["notes"]),
            seconds=float(document["seconds"]),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a report of a check: {error}") from error


def stage_document(result: StageResult) -> dict[str, Any]:
    """Text is UTF-8 in it, also where a file's name is not."""
    return {
        "stage": result.stage,
        "status": result.status,
        "summary": _utf8(result.summary),
        "samples": result.samples,
        "seconds": round(result.seconds, 3),
        "cached": result.cached,
        "findings": [
            {k: _utf8(v) if isinstance(v, str) else v for k, v in asdict(finding).items()}
            for finding in result.findings
        ],
        "document": dict(result.document),
        "observed": dict(result.observed),
        "tools": dict(result.tools),
        "inputs": dict(result.inputs),
        "markdown": _utf8(result.markdown),
        "attachments": [{"name": a.name, "path": str(a.path)} for a in result.attachments],
    }


def stage_from(document: Mapping[str, Any]) -> StageResult:
    """Raises ValueError when it is nothing that `stage_document` wrote."""
    try:
        return StageResult(
            stage=document["stage"],
            status=document["status"],
            summary=document["summary"],
            samples=int(document["samples"]),
            seconds=float(document["seconds"]),
            cached=bool(document["cached"]),
            findings=tuple(Finding(**finding) for finding in document["findings"]),
            document=document["document"],
            observed=document["observed"],
            tools=document["tools"],
            inputs=document["inputs"],
            markdown=document["markdown"],
            attachments=tuple(
                Attachment(a["name"], Path(a["path"])) for a in document["attachments"]
            ),
        )
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"not a result of a stage: {error}") from error


def _utf8(text: str) -> str:
    return text.encode("utf-8", "replace").decode()


def canonical(document: Any) -> str:
    """The one text of a document, for digests and comparing bytes. TypeError, ValueError: not JSON."""
    return json.dumps(document, sort_keys=True, separators=(",", ":"), allow_nan=False)
