"""Duplication by pylint's similarity checker: of what was changed, and of the whole area."""

from __future__ import annotations

import re
from collections import defaultdict
from pathlib import Path

from pipelines.model.check import Finding
from pipelines.stages.quality_area import Area, Bench, Part, judged, passed, source_files, trouble

MAX_PERCENT = 5.0
LEAST_LINES = 8
"""Shorter likenesses are how a language looks."""
_SECONDS = 240.0
_TOTAL = re.compile(r"^TOTAL lines=(\d+) duplicates=(\d+)", re.MULTILINE)
_PLACE = re.compile(r"^==(.+):\[(\d+):(\d+)\]$", re.MULTILINE)
_BLOCK = re.compile(r"^\d+ similar lines in \d+ files$", re.MULTILINE)

# symilar as it is, but files are only parsed: what names mean (the types of attributes, what is
# imported) has no say in which lines are alike, and takes six sevenths of the time.
_SYMILAR = """import functools, sys
import astroid
from astroid.builder import AstroidBuilder
from pylint.checkers import symilar
astroid.parse = functools.partial(astroid.parse, apply_transforms=False)
AstroidBuilder.delayed_assattr = lambda self, node: None
symilar.Run(sys.argv[1:])
"""


def duplication_part(area: Area, bench: Bench) -> Part:
    """At most 5 % of the lines of the changed source files, and of all of them, stand elsewhere
    too: a copied strategy would drown in the size of the application."""
    files = source_files(area)
    changed = [area.inner(p) for p in area.python if area.is_source(p)]
    if not changed:
        return passed("duplication", area.name, "no source file was changed", 0)
    done = bench.workshop.programs.run(
        [
            # isolated: a file of head that is called like a module is not imported
            *(bench.tools / "python", "-I", "-B", "-c", _SYMILAR, "--duplicates", str(LEAST_LINES)),
            *("--ignore-imports", "--ignore-docstrings", "--ignore-comments"),
            *("--ignore-signatures", *files),
        ],
        folder=area.root,
        seconds=_SECONDS,
    )
    total = _TOTAL.search(done.out)
    if done.code != 0 or total is None or int(total[1]) == 0:
        return trouble("duplication", area.name, "symilar", done)
    blocks = parse(done.out)
    whole = percent(int(total[2]), int(total[1]))
    own = percent(*_of(changed, blocks, area.root))
    findings = _findings(area, changed, blocks, max(own, whole) > MAX_PERCENT)
    words = f"{own:g} % of what was changed, {whole:g} % of everything"
    part = judged("duplication", area.name, findings, len(files), words)
    facts = {"changed_percent": own, "percent": whole, "blocks": len(blocks)}
    return Part(part.name, part.area, part.status, words, part.samples, part.findings, facts)


def parse(out: str) -> list[list[tuple[str, int, int]]]:
    """Groups of places that are alike: (file, first line, line after the last), counted from 1."""
    return [
        [(file, int(first) + 1, int(after) + 1) for file, first, after in _PLACE.findall(text)]
        for text in _BLOCK.split(out)[1:]
    ]


def percent(part: int, whole: int) -> float:
    return round(100 * part / whole, 2) if whole else 0.0


def _of(
    changed: list[str], blocks: list[list[tuple[str, int, int]]], root: Path
) -> tuple[int, int]:
    """(lines of changed files that stand elsewhere too, lines of changed files)."""
    alike: dict[str, set[int]] = defaultdict(set)
    for block in blocks:
        for file, first, after in block:
            alike[file].update(range(first, after))
    lines = sum(len((root / f).read_text("utf-8", "replace").splitlines()) for f in changed)
    return sum(len(alike[file]) for file in changed), lines


def _findings(
    area: Area, changed: list[str], blocks: list[list[tuple[str, int, int]]], red: bool
) -> list[Finding]:
    findings = []
    for block in blocks:
        mine = [place for place in block if place[0] in changed] or (block if red else [])
        if not mine:
            continue
        file, first, after = mine[0]
        others = [p for p in block if p != mine[0]]
        where = ", ".join(f"{area.prefix}{f}:{start}" for f, start, _ in others)
        findings.append(
            Finding(
                "symilar/duplicate",
                f"{after - first} lines are the same as at {where}",
                severity="error" if red else "note",
                path=area.prefix + file,
                line=first,
                hint="keep it in one place and use it from both",
            )
        )
    return findings
