"""The report of a check as Markdown, for a pull request: at most 60,000 characters."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import quote

from pipelines.model.check import (
    BROKEN,
    FAILED,
    PASSED,
    UNTOUCHED,
    Finding,
    Report,
    StageResult,
)
from pipelines.stages.report_text import code, escaped

MARK = "<!-- slipway check -->"
"""First line: what posts the report finds its own earlier comment by it."""
MOST_CHARACTERS = 60_000
SIGNS = {PASSED: "✅", FAILED: "❌", BROKEN: "💥", UNTOUCHED: "⚪"}
LEVELS = {"error": "❌", "warning": "⚠️", "note": "💡"}
_ORDER = ("error", "warning", "note")
_ROOM_FOR_THE_END = 400
_LONGEST_FINDING = 1000
_LONGEST_NAME = 200


@dataclass(frozen=True, slots=True)
class Links:
    """Where a browser finds a file: `<files>/<commit>/<path>`; empty without one."""

    files: str = ""

    def to(self, commit: str, path: str, line: int) -> str:
        place = f"{path}:{line}" if line else path
        if not self.files:
            return code(place)
        anchor = f"#L{line}" if line else ""
        return f'<a href="{self.files}/{commit}/{quote(path)}{anchor}">{code(place)}</a>'


def report_markdown(report: Report, links: Links | None = None) -> str:
    """Verdict, stages, findings by file, then each stage's own section while there is room."""
    links = links or Links()
    blocks = [_head(report), _table(report), _notes(report)]
    blocks += _findings(report, links)
    blocks += [_section(stage) for stage in report.stages if stage.markdown.strip()]
    kept, left = fit([block for block in blocks if block], MOST_CHARACTERS - _ROOM_FOR_THE_END)
    if left:
        kept.append(
            f"_{left} part{'s' * (left != 1)} of this report did not fit here;"
            " `slipway check --format json` has all of it._"
        )
    return "\n\n".join(kept) + "\n"


def fit(blocks: Sequence[str], room: int) -> tuple[list[str], int]:
    """Whole blocks in their order as long as they fit, and how many did not."""
    kept: list[str] = []
    for block in blocks:
        cost = len(block) + 2
        if cost <= room:
            kept.append(block)
            room -= cost
    return kept, len(blocks) - len(kept)


def _head(report: Report) -> str:
    verdict = "✅ Passed" if report.passed else "❌ Not yet"
    red = [stage.stage for stage in report.stages if stage.red]
    words = f": {', '.join(red)}" if red else ""
    return (
        f"{MARK}\n## {verdict}{words}\n\n"
        f"{code(report.branch)} at {code(report.commit[:12])}, to be merged into "
        f"{code(report.target)} (compared with {code(report.base_commit[:12])}), "
        f"judged in {report.seconds:.0f} s."
    )


def _table(report: Report) -> str:
    lines = ["| | stage | result | looked at | time |", "|---|---|---|--:|--:|"]
    for stage in report.stages:
        time = "cached" if stage.cached else f"{stage.seconds:.1f} s"
        time = "" if stage.status == UNTOUCHED else time
        lines.append(
            f"| {SIGNS.get(stage.status, '❓')} | {escaped(stage.stage)} |"
            f" {escaped(stage.summary, _LONGEST_NAME)} | {stage.samples or ''} | {time} |"
        )
    return "\n".join(lines)


def _notes(report: Report) -> str:
    return "\n".join(f"- {escaped(note, _LONGEST_FINDING)}" for note in report.notes)


def _findings(report: Report, links: Links) -> list[str]:
    """One collapsible block for each file, those with errors first and open."""
    by_file: dict[str, list[Finding]] = defaultdict(list)
    for stage in report.stages:
        for finding in stage.findings:
            by_file[finding.path].append(finding)
    ranked = sorted(by_file.items(), key=lambda item: (_worst(item[1]), item[0]))
    return [_file(report, path, findings, links) for path, findings in ranked]


def _worst(findings: Sequence[Finding]) -> int:
    return min(_rank(finding) for finding in findings)


def _rank(finding: Finding) -> int:
    return _ORDER.index(finding.severity) if finding.severity in _ORDER else 0


def _file(report: Report, path: str, findings: Sequence[Finding], links: Links) -> str:
    counts = [
        f"{sum(f.severity == level for f in findings)} {level}{'s' * _many(findings, level)}"
        for level in _ORDER
        if any(f.severity == level for f in findings)
    ]
    opened = " open" if _worst(findings) == 0 else ""
    title = code(path) if path else "The change as a whole"
    lines = [f"<details{opened}><summary>{title}: {', '.join(counts)}</summary>", ""]
    for finding in sorted(findings, key=lambda f: (_rank(f), f.line, f.rule, f.message)):
        where = f"{links.to(report.commit, path, finding.line)} " if path else ""
        hint = f"<br>→ {escaped(finding.hint, _LONGEST_FINDING)}" if finding.hint else ""
        lines.append(
            f"- {LEVELS.get(finding.severity, '❌')} {where}"
            f"{escaped(finding.message, _LONGEST_FINDING)} ({code(finding.rule)}){hint}"
        )
    return "\n".join([*lines, "", "</details>"])


def _many(findings: Sequence[Finding], level: str) -> bool:
    return sum(finding.severity == level for finding in findings) != 1


def _section(stage: StageResult) -> str:
    """What a stage says itself; it escapes what is not its own."""
    return (
        f"<details><summary>{SIGNS.get(stage.status, '❓')} {escaped(stage.stage)}</summary>\n\n"
        f"{stage.markdown.strip()}\n\n</details>"
    )
