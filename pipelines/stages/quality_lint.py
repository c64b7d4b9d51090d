"""ruff: format, lint by the target's rules, complexity whatever any configuration says."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pipelines.model.check import Finding
from pipelines.stages.protocol import Done
from pipelines.stages.quality_area import Area, Bench, Part, judged, passed, trouble

MAX_COMPLEXITY = 10
_SECONDS = 120.0
_BLANKET = (
    (re.compile(r"#\s*(ruff|flake8):\s*noqa\b"), "switches the linter off for the whole file"),
    (re.compile(r"#\s*mypy:"), "changes the type checker's settings for the whole file"),
    (re.compile(r"#\s*type:\s*ignore\s*($|[^\[\s])"), "ignores every type error of its line"),
    (re.compile(r"#\s*noqa\s*($|[^:\s])"), "ignores every lint rule of its line"),
    (re.compile(r"#\s*fmt:\s*off\b"), "switches the formatter off"),
)


def format_part(area: Area, bench: Bench) -> Part:
    return _ruff("format", area, bench, ["format", "--check", "--config", area.config])


def lint_part(area: Area, bench: Bench) -> Part:
    return _ruff("lint", area, bench, ["check", "--config", area.config])


def complexity_part(area: Area, bench: Bench) -> Part:
    setting = f"lint.mccabe.max-complexity={MAX_COMPLEXITY}"
    words = ["check", "--isolated", "--ignore-noqa", "--select", "C901", "--config", setting]
    return _ruff("complexity", area, bench, words)


def loosened_part(area: Area, bench: Bench) -> Part:
    """Comments that switch a whole tool off where nobody looks; one with a named rule is fine."""
    findings = []
    for path in area.python:
        text = bench.change.head.text(path) or ""
        for number, line in enumerate(text.splitlines(), 1):
            # What stands in front of a quote may be a text about such comments, as this file has.
            code = line if '"' not in line and "'" not in line else ""
            for pattern, words in _BLANKET:
                if pattern.search(code):
                    findings.append(
                        Finding(
                            "quality/loosened",
                            f"this comment {words}",
                            path=path,
                            line=number,
                            hint="name the one rule and say why: # noqa: CODE, # type: ignore[code]",
                        )
                    )
    return judged("loosened", area.name, findings, len(area.python), "no tool is switched off")


def _ruff(name: str, area: Area, bench: Bench, words: Sequence[str | Path]) -> Part:
    files = [area.inner(path) for path in area.python]
    if not files:
        return passed(name, area.name, "no Python file was changed", 0)
    done = bench.workshop.programs.run(
        [bench.tools / "ruff", *words, "--no-cache", "--output-format", "json", "--", *files],
        folder=area.root,
        seconds=_SECONDS,
    )
    found = _parse(done)
    if found is None:
        return trouble(name, area.name, "ruff", done)
    findings = [_finding(name, area, item) for item in found]
    return judged(name, area.name, findings, len(files), f"{len(files)} files")


def _parse(done: Done) -> list[dict[str, Any]] | None:
    """ruff's list; None when it is none, or does not fit the exit code."""
    try:
        found = json.loads(done.out)
    except ValueError:
        return None
    if not isinstance(found, list) or done.code not in (0, 1, 2):
        return None
    return found if bool(found) == (done.code != 0) else None


def _finding(name: str, area: Area, item: dict[str, Any]) -> Finding:
    code = str(item.get("code") or "invalid-syntax")
    path = str(item.get("filename", "")).removeprefix(f"{area.root}/")
    message = str(item.get("message", ""))
    if name == "format":
        message = "the file is not formatted" if code == "unformatted" else message
    hints = {"format": "make format", "complexity": "split it into functions with a name each"}
    line = (item.get("location") or {}).get("row") or 0
    return Finding(
        f"ruff/{code}", message, path=area.prefix + path, line=int(line), hint=hints.get(name, "")
    )
