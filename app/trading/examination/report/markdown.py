"""The summary for a pull request: GitHub shows the tables and draws the Mermaid blocks."""

from __future__ import annotations

import re

from trading.examination.document import differing_days
from trading.examination.examine import Examination
from trading.examination.report.series import Points, drawdown, equity, quarters
from trading.examination.report.tables import figure_rows

_NOT_PLAIN = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2066-\u2069]+")
_MARKUP = re.compile(r"([\\`*_{}\[\]()#|~@!])")
_LONG = 300


def plain(text: str) -> str:
    """Foreign text in a Markdown table: one line, no markup, no mention of anybody, not long."""
    line = _MARKUP.sub(r"\\\1", _NOT_PLAIN.sub(" ", text)[:_LONG])
    return line.replace("\\@", "@\u2060").replace("&", "&amp;").replace("<", "&lt;")


def summary(found: Examination) -> str:
    """Verdict, checks, figures head against base, two pictures."""
    wanted = found.request.wanted
    failed = [check for check in found.checks if not check.ok]
    verdict = f"refused ({len(failed)} of {len(found.checks)} checks)" if failed else "passed"
    parts = [
        f"### Strategy `{wanted.name}`: {verdict}",
        *_checks(found),
        *_figures(found),
        *_pictures(found),
    ]
    return "\n".join(parts) + "\n"


def _checks(found: Examination) -> list[str]:
    rows = [
        f"| {'✅' if c.ok else '❌'} | {c.name} | {plain(c.message)} | {c.samples:,} |"
        for c in found.checks
    ]
    return ["", "| | check | what it says | samples |", "|---|---|---|---:|", *rows]


def _figures(found: Examination) -> list[str]:
    if found.head.figures is None:
        return []
    rows = [
        f"| {row.label} | {row.head}{'' if row.ok else ' ❌'} | {row.base} | {row.limit} |"
        for row in figure_rows(found)
    ]
    days = differing_days(found)
    words = "there is no base to compare with: the strategy is new, or it does not run there"
    if days is not None:
        first = f", first on {days[0]}" if days else ""
        words = (
            f"head decides differently from base on {len(days)} of {len(found.days)} days{first}"
        )
    return ["", f"{words}.", "", "| | head | base | limit |", "|---|---:|---:|---:|", *rows]


def _pictures(found: Examination) -> list[str]:
    result = found.head.result
    if result is None:
        return []
    head = equity(result)
    lines = [quarters(head)]
    if found.base is not None and found.base.result is not None:
        lines.append(quarters(equity(found.base.result)))
    names = "head, base" if len(lines) > 1 else "head"
    falls = [100 * value for value in quarters(drawdown(result))]
    return [
        *_picture(f"Equity at the end of each quarter ({names})", head, lines),
        *_picture("Drawdown at the end of each quarter, %", head, [falls]),
    ]


def _picture(title: str, points: Points, lines: list[list[float]]) -> list[str]:
    """`xychart-beta`; a value axis needs two different ends."""
    values = [value for line in lines for value in line]
    low, high = min(values), max(values)
    high = high if high > low else low + 1
    first, last = round(points[0][0]), round(points[-1][0])
    return [
        "",
        "```mermaid",
        "xychart-beta",
        f'    title "{title}"',
        f'    x-axis "year" {first} --> {last}',
        f"    y-axis {low:.0f} --> {high:.0f}",
        *(f"    line [{', '.join(map(_number, line))}]" for line in lines),
        "```",
    ]


def _number(value: float) -> str:
    """Mermaid reads no exponents."""
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.2f}"
