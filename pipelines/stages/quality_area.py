"""What the quality stage looks at: the application and the engine, each a Python project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from pipelines.model.check import BROKEN, FAILED, PASSED, Change, Finding
from pipelines.stages.protocol import Done, Workshop

ENGINE_PARTS = ("pipelines", "policies", "infra", "scripts", "tests", "bench")
_PROJECT_FILES = ("pyproject.toml", "requirements-dev.lock")


@dataclass(frozen=True, slots=True)
class Area:
    """A Python project in head. Paths in `files` are relative to the repository, those of tools to
    `prefix` (`app/`, or nothing). `files`: what is judged, there in head; `sources`: packages whose
    lines tests must reach. `config` comes from the rules: a change does not loosen its own lint."""

    name: str
    prefix: str
    root: Path
    config: Path
    lock: Path
    files: tuple[str, ...]
    sources: tuple[str, ...]

    @property
    def python(self) -> tuple[str, ...]:
        return tuple(path for path in self.files if path.endswith(".py"))

    def inner(self, path: str) -> str:
        """A path of the repository as the tools of this area say it."""
        return path.removeprefix(self.prefix)

    def is_source(self, path: str) -> bool:
        return path.startswith(tuple(f"{self.prefix}{name}/" for name in self.sources))


@dataclass(frozen=True, slots=True)
class Part:
    """One line of the stage's table. `facts` are deterministic, what was `observed` is not;
    `samples`: what was looked at."""

    name: str
    area: str
    status: str
    words: str
    samples: int = 0
    findings: tuple[Finding, ...] = ()
    facts: Mapping[str, Any] = field(default_factory=dict)
    observed: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Bench:
    """What every part may use. `tools`: `bin` of the check tools."""

    change: Change
    workshop: Workshop
    tools: Path


def areas(change: Change) -> list[Area]:
    """Those that the change touches. An area that head no longer has is none."""
    found = []
    if (change.head.folder / "app" / "pyproject.toml").is_file() and change.touches(
        "app/", "environments/"
    ):
        found.append(_area(change, "app", "app/", _packages(change.head.folder / "app")))
    engine = tuple(f"{part}/" for part in ENGINE_PARTS)
    if (change.head.folder / "pyproject.toml").is_file() and change.touches(
        *engine, *_PROJECT_FILES
    ):
        found.append(_area(change, "engine", "", ("pipelines", "policies")))
    return found


def _area(change: Change, name: str, prefix: str, sources: tuple[str, ...]) -> Area:
    root = change.head.folder / prefix
    inside = ("app/",) if prefix else tuple(f"{part}/" for part in ENGINE_PARTS)
    if change.everything:
        listed = _all_files(change.head.folder, inside)
    else:
        listed = tuple(
            file.path
            for file in change.files
            if file.status != "D" and file.path.startswith(inside)
        )
    ruled = change.rules.folder / prefix / "pyproject.toml"
    return Area(
        name=name,
        prefix=prefix,
        root=root,
        config=ruled if ruled.is_file() else root / "pyproject.toml",
        lock=root / "requirements-dev.lock",
        files=tuple(sorted(listed)),
        sources=sources,
    )


def _all_files(root: Path, inside: tuple[str, ...]) -> tuple[str, ...]:
    found = []
    for name in inside:
        found += [p.relative_to(root).as_posix() for p in (root / name).rglob("*") if p.is_file()]
    return tuple(found)


def _packages(root: Path) -> tuple[str, ...]:
    """Folders with an `__init__.py` right below the project, tests left out."""
    return tuple(
        sorted(p.parent.name for p in root.glob("*/__init__.py") if p.parent.name != "tests")
    )


def source_files(area: Area, suffix: str = ".py") -> list[str]:
    """All source files of the area in head, relative to its root."""
    return sorted(
        file.relative_to(area.root).as_posix()
        for name in area.sources
        for file in (area.root / name).rglob(f"*{suffix}")
    )


def passed(name: str, area: str, words: str, samples: int, **facts: Any) -> Part:
    return Part(name, area, PASSED, words, samples, (), facts)


def judged(
    name: str, area: str, findings: list[Finding], samples: int, clean: str, **facts: Any
) -> Part:
    """Failed when there is an error among the findings."""
    errors = sum(finding.severity == "error" for finding in findings)
    words = f"{errors} problem{'s' * (errors != 1)}" if errors else clean
    status = FAILED if errors else PASSED
    return Part(name, area, status, words, samples, tuple(findings), facts)


def trouble(name: str, area: str, what: str, done: Done | None = None) -> Part:
    """A tool that could not do its work."""
    words = what
    if done is not None:
        reasons = {
            "timeout": f"did not end within {done.seconds:.0f} s",
            "output": "printed more than allowed",
            "missing": "is missing",
            "stopped": "was stopped",
        }
        words = f"{what} {reasons.get(done.why, f'ended with code {done.code}')}"
        last = (done.err.strip() or done.out.strip()).splitlines()[-3:]
        words += f": {' | '.join(last)[:300]}" if last and done.why != "stopped" else ""
    finding = Finding(f"quality/{name}", words)
    return Part(name, area, BROKEN, words[:200], 0, (finding,))
