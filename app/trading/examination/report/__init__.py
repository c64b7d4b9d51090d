"""The examination for people: a page, a Markdown summary, a few lines on the terminal."""

from __future__ import annotations

from pathlib import Path

from trading.examination.examine import Examination
from trading.examination.report.markdown import summary
from trading.examination.report.page import page

PAGE, SUMMARY = "report.html", "summary.md"


def write(found: Examination, folder: Path) -> None:
    """Write `report.html` and `summary.md`. Raises `OSError`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / PAGE).write_text(page(found), "utf-8")
    (folder / SUMMARY).write_text(summary(found), "utf-8")


def text(found: Examination, folder: Path | None) -> str:
    """A line for each check, the verdict, and where the page is."""
    width = max(len(check.name) for check in found.checks)
    lines = []
    for check in found.checks:
        lines.append(f"{'ok  ' if check.ok else 'FAIL'}  {check.name:<{width}}  {check.message}")
        if not check.ok:
            lines += [f"{'':6}{'':{width}}  {detail}" for detail in check.details[:5]]
    failed = sum(not check.ok for check in found.checks)
    total = len(found.checks)
    lines.append(
        f"\nrefused: {failed} of {total} checks" if failed else f"\npassed: {total} checks"
    )
    if folder:
        lines.append(f"report: {folder / PAGE}")
    return "\n".join(lines)
