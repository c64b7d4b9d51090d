"""Unit tests of what was changed, with head's own packages, and which lines they reach."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from pipelines.model.check import FAILED, PASSED, Finding
from pipelines.stages.protocol import Done
from pipelines.stages.quality_area import Area, Bench, Part, judged, passed, trouble
from pipelines.stages.quality_choice import choose

MIN_COVERAGE_PERCENT = 80.0
_SECONDS = 600.0
_LARGEST_ANSWER_BYTES = 20_000_000
_LARGEST_MESSAGE = 600
_STARTED_ELSEWHERE = (
    *("pipelines/adapters/", "pipelines/cli/", "pipelines/controller/", "pipelines/flows/"),
    *("pipelines/targets/", "pipelines/records/", "pipelines/wiring"),
)
"""Rooms whose lines are reached by suites that start installations, which a check does not."""

# Every process of the tests measures itself, the ones they start too.
_SITE = """import os
if os.environ.get("COVERAGE_PROCESS_START"):
    import coverage
    coverage.process_startup()
"""
_RC = """[run]
parallel = True
sigterm = True
relative_files = True
disable_warnings = no-data-collected,module-not-measured,couldnt-parse,module-not-imported
data_file = {data}
source = {sources}
[report]
exclude_lines =
    if TYPE_CHECKING:
    ^\\s*\\.\\.\\.$
    @abstractmethod
"""


@dataclass(frozen=True, slots=True)
class _Place:
    """A copy of head that tests may write into, and what measures them."""

    root: Path
    site: Path
    rc: Path
    data: Path
    junit: Path


def tests_parts(area: Area, bench: Bench) -> list[Part]:
    """The parts `tests` and `coverage`."""
    choice = choose(area, bench.change)
    tests = choice.listed()
    if not tests:
        if choice.findings:
            return [judged("tests", area.name, choice.findings, 0, "")]
        return [passed("tests", area.name, "nothing that tests reach was changed", 0)]
    place = _prepare(area, bench)
    python = bench.workshop.environments.python(area.lock)
    done = bench.workshop.programs.run(
        [
            *(python, "-m", "pytest", "-q", "--tb=short", "-p", "no:cacheprovider"),
            *(f"--junitxml={place.junit}", *_plugins(area), "--", *tests),
        ],
        folder=place.root,
        seconds=_SECONDS,
        variables={
            "PYTHONPATH": f"{place.site}:{place.root}",
            "COVERAGE_PROCESS_START": str(place.rc),
            "HYPOTHESIS_STORAGE_DIRECTORY": str(place.site / "hypothesis"),
        },
    )
    ran = _tests(area, tests, done, place.junit, choice.findings)
    return [ran, _coverage(area, bench, place)] if ran.samples else [ran]


def _prepare(area: Area, bench: Bench) -> _Place:
    scratch = bench.workshop.folder / f"tests-{area.name}"
    copy, site = scratch / "head", scratch / "site"
    shutil.copytree(bench.change.head.folder, copy, copy_function=shutil.copyfile)
    for folder in (copy, *(p for p in copy.rglob("*") if p.is_dir())):
        folder.chmod(0o755)
    for path in bench.change.head.folder.rglob("*"):  # what may be started may still be started
        if path.is_file() and path.stat().st_mode & 0o100:
            (copy / path.relative_to(bench.change.head.folder)).chmod(0o755)
    site.mkdir()
    (site / "sitecustomize.py").write_text(_SITE)
    packages = next((bench.tools.parent / "lib").glob("python3*")) / "site-packages"
    (site / "coverage").symlink_to(packages / "coverage")
    place = _Place(
        copy / area.prefix, site, site / "coveragerc", site / "data", scratch / "junit.xml"
    )
    sources = ",".join(str(place.root / name) for name in area.sources)
    place.rc.write_text(_RC.format(data=place.data, sources=sources))
    return place


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


def _coverage(area: Area, bench: Bench, place: _Place) -> Part:
    """Lines reached of the changed source files, all taken together."""
    changed = [p for p in area.python if area.is_source(p)]
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


def _measured(bench: Bench, place: _Place) -> dict[str, Any] | Done:
    """coverage's own record by file, or how it failed."""
    answer = place.site / "coverage.json"
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
