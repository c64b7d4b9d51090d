"""Unit tests of what was changed, with head's own packages, and which lines they reach."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from pipelines.model.check import FAILED, PASSED, Finding
from pipelines.stages.protocol import Done
from pipelines.stages.quality_area import Area, Bench, Part, judged, passed, trouble
from pipelines.stages.quality_choice import choose
from pipelines.stages.quality_place import Place, prepare

MIN_COVERAGE_PERCENT = 80.0
_SECONDS = 600.0
_SECONDS_OF_ALL = 1500.0
_MEMORY_BYTES = 4 << 30
"""Of each process of the tests: code that nobody has read yet does not take the machine down."""
_LARGEST_ANSWER_BYTES = 20_000_000
_LARGEST_MESSAGE = 600
_STARTED_ELSEWHERE = (
    *("pipelines/adapters/", "pipelines/cli/", "pipelines/controller/", "pipelines/flows/"),
    *("pipelines/targets/", "pipelines/records/", "pipelines/wiring"),
)
"""Rooms whose lines are reached by suites that start installations, which a check does not."""


def tests_parts(area: Area, bench: Bench) -> list[Part]:
    """The parts `tests` and `coverage`."""
    choice = choose(area, bench.change)
    tests = choice.listed()
    if not tests:
        if choice.findings:
            return [judged("tests", area.name, choice.findings, 0, "")]
        return [passed("tests", area.name, "nothing that tests reach was changed", 0)]
    place = prepare(area, bench, measure=bool(_sources(area)))
    done = bench.workshop.programs.run(
        [
            *(place.python, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider"),
            *(f"--junitxml={place.junit}", *_plugins(area), "--", *tests),
        ],
        folder=place.root,
        memory_bytes=_MEMORY_BYTES,
        seconds=_SECONDS_OF_ALL if bench.change.everything else _SECONDS,
        variables={
            "CI": "true",  # Hypothesis: no deadlines, the same examples every time
            "HYPOTHESIS_STORAGE_DIRECTORY": str(place.data.parent / "hypothesis"),
        },
    )
    ran = _tests(area, tests, done, place.junit, choice.findings)
    return [ran, _coverage(area, bench, place)] if ran.samples else [ran]


def _plugins(area: Area) -> list[str]:
    """Options that plug-ins of head's own lock understand: the same examples every time, both cores."""
    lock = area.lock.read_text("utf-8", "replace")
    options = ["--hypothesis-seed=0"] if "\nhypothesis==" in lock else []
    return options + (["-n", "2", "--dist", "loadfile"] if "\npytest-xdist==" in lock else [])


def _tests(area: Area, tests: list[str], done: Done, junit: Path, before: list[Finding]) -> Part:
    """Exit code and pytest's own record must agree."""
    cases = _cases(junit)
    if done.why or done.code not in (0, 1) or not cases:
        return trouble("tests", area.name, f"pytest of {', '.join(tests)[:100]}", done)
    findings = [*before, *(f for case in cases if (f := _failure(area, case)) is not None)]
    skipped = sum(case.find("skipped") is not None for case in cases)
    ran = len(cases) - skipped
    if (done.code == 0) != (len(findings) == len(before)):
        return trouble("tests", area.name, "pytest contradicts its own record: it", done)
    if not ran:
        findings.append(Finding("quality/tests", f"all {skipped} tests were skipped"))
    words = f"{ran} tests in {', '.join(tests)}" + (f", {skipped} skipped" if skipped else "")
    facts = {"tests": tests, "ran": ran, "skipped": skipped}
    return judged("tests", area.name, findings, ran, words, **facts)


def _cases(junit: Path) -> list[ElementTree.Element]:
    try:
        if junit.stat().st_size > _LARGEST_ANSWER_BYTES:
            return []
        return list(ElementTree.parse(junit).iter("testcase"))  # noqa: S314 - of our own pytest
    except (OSError, ElementTree.ParseError):
        return []


def _failure(area: Area, case: ElementTree.Element) -> Finding | None:
    bad = case.find("failure")
    bad = case.find("error") if bad is None else bad
    if bad is None:
        return None
    name = case.get("name", "")
    path = case.get("classname", "").replace(".", "/")
    file = path if (area.root / f"{path}.py").is_file() else path.rpartition("/")[0]
    words = (bad.get("message") or bad.text or "failed").strip()[:_LARGEST_MESSAGE]
    return Finding("pytest/failed", f"{name}: {words}", path=f"{area.prefix}{file}.py")


def _sources(area: Area) -> list[str]:
    """Whose lines tests must reach."""
    return [path for path in area.python if area.is_source(path)]


def _coverage(area: Area, bench: Bench, place: Place) -> Part:
    """Lines reached of the changed source files, all taken together."""
    changed = _sources(area)
    if not changed:
        return passed("coverage", area.name, "no source file was changed", 0)
    document = _measured(bench, place)
    if isinstance(document, Done):
        return trouble("coverage", area.name, "coverage", document)
    findings, reached, lines = [], 0, 0
    for path in changed:
        facts = document.get(area.inner(path), {})
        summary = facts.get("summary", {"num_statements": 1, "covered_lines": 0})
        count, here = int(summary["num_statements"]), int(summary["covered_lines"])
        counted = not path.startswith(_STARTED_ELSEWHERE) or area.name != "engine"
        lines += count * counted
        reached += here * counted
        if count and 100 * here < MIN_COVERAGE_PERCENT * count:
            findings.append(_unreached(path, here, count, facts.get("missing_lines", [])))
    total = round(100 * reached / lines, 1) if lines else 100.0
    words = f"{total:g} % of {lines} lines in {len(changed)} changed files"
    status = PASSED if total >= MIN_COVERAGE_PERCENT else FAILED
    if status == FAILED:
        words = f"{words}; at least {MIN_COVERAGE_PERCENT:g} % are needed"
        hint = "test the lines that are named below"
        findings.insert(0, Finding("quality/coverage", words, hint=hint))
    return Part(
        *("coverage", area.name, status, words, len(changed), tuple(findings)),
        facts={"lines": lines, "files": len(changed)},
        observed={"percent": total},  # which lines a started process reaches may vary
    )


def _unreached(path: str, here: int, count: int, missing: list[int]) -> Finding:
    shown = ", ".join(map(str, missing[:12])) + (", …" if len(missing) > 12 else "")
    return Finding(
        "quality/coverage",
        f"tests reach {here} of {count} lines; not {shown or 'any'}",
        severity="warning",
        path=path,
        line=missing[0] if missing else 0,
    )


def _measured(bench: Bench, place: Place) -> dict[str, Any] | Done:
    """coverage's own record by file, or how it failed."""
    answer = place.data.parent / "coverage.json"
    python = bench.tools / "python"
    for words in (("combine", "--quiet"), ("json", "--quiet", "-o", str(answer))):
        done = bench.workshop.programs.run(
            [python, "-m", "coverage", words[0], f"--rcfile={place.rc}", *words[1:]],
            folder=place.root,
            seconds=120,
        )
        if done.code != 0:
            return done
    try:
        files = json.loads(answer.read_text())["files"]
    except (OSError, ValueError, KeyError):
        return done
    return dict(files)
