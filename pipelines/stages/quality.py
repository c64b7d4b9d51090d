"""The quality stage: what a careful colleague would run on the changed code."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor

from pipelines.model.check import BROKEN, FAILED, PASSED, UNTOUCHED, Change, StageResult
from pipelines.model.errors import SlipwayError
from pipelines.stages.protocol import Options, Workshop
from pipelines.stages.quality_area import ENGINE_PARTS, Area, Bench, Part, areas, trouble
from pipelines.stages.quality_duplication import duplication_part
from pipelines.stages.quality_lint import complexity_part, format_part, lint_part, loosened_part
from pipelines.stages.quality_tests import tests_parts
from pipelines.stages.quality_texts import scripts_part, yaml_part
from pipelines.stages.quality_types import types_part
from pipelines.stages.report_json import canonical

TOUCHED = ("app/", "environments/", *(f"{p}/" for p in ENGINE_PARTS), "pyproject.toml", ".ci/",
           "requirements-dev.lock")  # fmt: skip
_QUICK = (format_part, lint_part, complexity_part, loosened_part, types_part, duplication_part)
_TOOLS = ("ruff", "mypy", "pylint", "coverage")


class QualityStage:
    """`stages.protocol.Stage`."""

    name = "quality"

    def touched(self, change: Change) -> bool:
        return change.touches(*TOUCHED)

    def inputs(self, change: Change, options: Options) -> Mapping[str, str]:
        """Head as a whole, since tests may read any of its files; what was changed; the target's
        settings of the tools."""
        files = [[f.path, f.status, f.old_path] for f in change.files]
        settings = [change.rules.text(f"{prefix}pyproject.toml") for prefix in ("", "app/")]
        return {
            "head": _digest(dict(change.head.objects)),
            "changed": _digest(files),
            "settings": _digest(settings),
        }

    def run(self, change: Change, workshop: Workshop) -> StageResult:
        bench = Bench(change, workshop, workshop.environments.tools())
        found = areas(change)
        with ThreadPoolExecutor(2) as lanes:  # tests take as long as all the others together
            slow = [lanes.submit(_tests, area, bench) for area in found]
            quick = lanes.submit(_quick, found, bench)
            parts = quick.result() + [part for lane in slow for part in lane.result()]
        return _result(sorted(parts, key=lambda part: part.area != "app"), bench)


def _tests(area: Area, bench: Bench) -> list[Part]:
    bench.workshop.say(f"tests of {area.name}")
    try:
        return tests_parts(area, bench)
    except SlipwayError as error:
        return [trouble("tests", area.name, error.message)]


def _quick(found: list[Area], bench: Bench) -> list[Part]:
    parts = []
    for area in found:
        for part in _QUICK:
            parts.append(_guarded(part, area, bench))
    return [*parts, scripts_part(bench), yaml_part(bench)]


def _guarded(make: Callable[[Area, Bench], Part], area: Area, bench: Bench) -> Part:
    name = make.__name__.removesuffix("_part")
    bench.workshop.say(f"{name} of {area.name}")
    try:
        return make(area, bench)
    except SlipwayError as error:
        return trouble(name, area.name, error.message)


def _result(parts: list[Part], bench: Bench) -> StageResult:
    bad = [part for part in parts if part.status != PASSED]
    status = PASSED
    if bad:
        status = BROKEN if any(part.status == BROKEN for part in bad) else FAILED
    if status == PASSED and not any(part.samples for part in parts):
        return StageResult("quality", UNTOUCHED, "nothing that was changed can be judged here")
    rows = [part for part in parts if part.samples or part.status != PASSED]
    words = [f"{p.name} {_area(p)}: {p.words}" for p in bad]
    return StageResult(
        stage="quality",
        status=status,
        summary="; ".join(words)[:300] if words else _good(parts),
        findings=tuple(finding for part in parts for finding in part.findings),
        samples=sum(part.samples for part in parts),
        document={
            f"{p.area}/{p.name}": {"status": p.status, "samples": p.samples, **p.facts}
            for p in parts
        },
        observed={f"{p.area}/{p.name}": dict(p.observed) for p in parts if p.observed},
        tools=_versions(bench),
        markdown=_table(rows),
    )


def _good(parts: list[Part]) -> str:
    """What was looked at, the expensive things first."""
    wanted = ("tests", "coverage", "types")
    words = [p.words for name in wanted for p in parts if p.name == name and p.samples]
    return "; ".join(words) or f"{sum(p.samples for p in parts)} things looked at"


def _area(part: Part) -> str:
    return "" if part.area == "all" else f"({part.area})"


def _table(parts: list[Part]) -> str:
    signs = {PASSED: "✅", FAILED: "❌", BROKEN: "💥"}
    lines = ["| | check | of | result |", "|---|---|---|---|"]
    lines += [
        f"| {signs[p.status]} | {p.name} | {p.area} | {p.words.replace('|', '/')} |" for p in parts
    ]
    return "\n".join(lines)


def _versions(bench: Bench) -> dict[str, str]:
    """Of the tools, as installed."""
    packages = next((bench.tools.parent / "lib").glob("python3*")) / "site-packages"
    found = {}
    for name in _TOOLS:
        for info in packages.glob(f"{name}-*.dist-info"):
            found[name] = info.name.removesuffix(".dist-info").partition("-")[2]
    return found


def _digest(value: object) -> str:
    return hashlib.sha256(canonical(value).encode()).hexdigest()[:32]
