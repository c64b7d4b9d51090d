"""The report of a check on a terminal: stages, findings, verdict; 80 columns are enough."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterator

import click

from pipelines.model.check import BROKEN, FAILED, PASSED, UNTOUCHED, Finding, Report, StageResult
from pipelines.stages.report_text import plain

SIGNS = {
    PASSED: ("✓", "green"),
    FAILED: ("✗", "red"),
    BROKEN: ("✗", "magenta"),
    UNTOUCHED: ("·", "white"),
}
LEVELS = {"error": "red", "warning": "yellow", "note": "cyan"}
MOST_FINDINGS = 40
_ORDER = {"error": 0, "warning": 1, "note": 2}
_INDENT = 24


def print_report(report: Report) -> None:
    for line in lines(report, _width()):
        click.echo(line)


def lines(report: Report, width: int) -> Iterator[str]:
    """What is printed, with colours; click takes them away where nobody sees them."""
    for stage in report.stages:
        yield from stage_lines(stage, width)
    findings = sorted(
        (finding for stage in report.stages for finding in stage.findings),
        key=lambda f: (_ORDER.get(f.severity, 0), f.path, f.line, f.message),
    )
    if findings:
        yield ""
    for finding in findings[:MOST_FINDINGS]:
        yield from _finding(finding, width)
    if len(findings) > MOST_FINDINGS:
        yield f"  … and {len(findings) - MOST_FINDINGS} more: slipway check --format markdown"
    yield ""
    for stage in report.stages:
        for attachment in stage.attachments:
            yield f"{stage.stage}: {attachment.path}"
    for note in report.notes:
        yield from textwrap.wrap(f"note: {plain(note)}", width, subsequent_indent="  ")
    yield _verdict(report)


def stage_lines(stage: StageResult, width: int) -> Iterator[str]:
    """`✓ quality      12.3 s  words`, wrapped under themselves."""
    sign, colour = SIGNS.get(stage.status, ("?", "red"))
    took = "cached" if stage.cached else f"{stage.seconds:.1f} s" * (stage.status != UNTOUCHED)
    words = plain(stage.summary, 300)
    if stage.status in (BROKEN, UNTOUCHED):
        words = f"{stage.status}: {words}"
    wrapped = textwrap.wrap(words, max(width - _INDENT, 20)) or [""]
    yield f"{click.style(sign, fg=colour)} {stage.stage:<11}{took:>8}   {wrapped[0]}"
    for line in wrapped[1:]:
        yield " " * _INDENT + line


def _finding(finding: Finding, width: int) -> Iterator[str]:
    place = f"{finding.path}:{finding.line}" if finding.line else finding.path
    head = f"{finding.severity}: {plain(place)}: " if place else f"{finding.severity}: "
    text = f"{head}{plain(finding.message, 600)} [{plain(finding.rule)}]"
    wrapped = textwrap.wrap(text, width, subsequent_indent="    ")
    first = wrapped[0].removeprefix(finding.severity)
    yield click.style(finding.severity, fg=LEVELS.get(finding.severity, "red")) + first
    yield from wrapped[1:]
    if finding.hint:
        yield from textwrap.wrap(
            f"→ {plain(finding.hint, 300)}",
            width,
            initial_indent="    ",
            subsequent_indent="      ",
        )


def _verdict(report: Report) -> str:
    red = [stage.stage for stage in report.stages if stage.red]
    word = click.style("passed", fg="green", bold=True)
    if not report.passed:
        word = click.style("not yet", fg="red", bold=True) + f" ({', '.join(red) or 'no stage'})"
    where = f"{plain(report.branch, 60)} at {report.commit[:12]} for {report.target}"
    return f"{where}\n{word}, {report.seconds:.0f} s"


def _width() -> int:
    return min(shutil.get_terminal_size((100, 24)).columns, 120) if sys.stdout.isatty() else 100
