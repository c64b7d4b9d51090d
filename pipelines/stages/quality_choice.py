"""Which tests belong to what was changed. Files are looked at, nothing is run."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from pipelines.model.check import Change, Finding
from pipelines.stages.quality_area import Area

_EVERYTHING = ("tests/conftest.py", "tests/world.py", "requirements-dev.lock", "pyproject.toml")
_ENGINE_SUITES = ("tests/unit/", "tests/docs/", "tests/integration/")
_ENVIRONMENTS = "tests/test_environments.py"


@dataclass(slots=True)
class Choice:
    """`tests`: files and folders relative to the area's root. `findings`: code without tests."""

    tests: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)

    def listed(self) -> list[str]:
        """Without what lies in a folder that is listed too."""
        folders = {name for name in self.tests if not name.endswith(".py")}
        return sorted(
            name
            for name in self.tests
            if not any(p.as_posix() in folders for p in PurePosixPath(name).parents)
        )


def choose(area: Area, change: Change) -> Choice:
    """Raises nothing: what cannot be tested is a finding."""
    if area.name == "engine":
        return _of_engine(area, change)
    if change.everything or any(area.inner(path) in _EVERYTHING for path in area.files):
        return Choice({"tests"})
    choice = Choice()
    _changed_tests(area, choice)
    _sources(area, change, choice)
    if change.touches("environments/") and (area.root / _ENVIRONMENTS).is_file():
        choice.tests.add(_ENVIRONMENTS)
    return choice


def _of_engine(area: Area, change: Change) -> Choice:
    """All unit tests, which take seconds, and changed tests of suites that need no installation."""
    choice = Choice({"tests/unit"} if (area.root / "tests/unit").is_dir() else set())
    if not choice.tests:
        choice.findings.append(Finding("quality/tests", "the engine has no tests/unit"))
    if not change.everything:
        choice.tests.update(p for p in area.files if p.startswith(_ENGINE_SUITES) and _is_test(p))
    return choice


def _changed_tests(area: Area, choice: Choice) -> None:
    for path in map(area.inner, area.files):
        if not path.startswith("tests/"):
            continue
        if _is_test(path):
            choice.tests.add(path)
        elif path.endswith(".py"):  # a helper: everything in its folder may use it
            choice.tests.add(str(PurePosixPath(path).parent))


def _sources(area: Area, change: Change, choice: Choice) -> None:
    """Of what is gone too: something may still need it."""
    mentioned = _Mentions(area.root)
    gone = [f.old_path or f.path for f in change.files if f.status in "DR"]
    for path in (*area.files, *gone):
        if not area.is_source(path):
            continue
        found = _own_tests(area, change, path) or mentioned.of(area.inner(path))
        choice.tests.update(found)
        if not found and path.endswith(".py") and path not in gone:
            choice.findings.append(
                Finding(
                    "quality/untested",
                    "no tests were found for this code",
                    path=path,
                    hint=f"add them: {area.prefix}{_home(area.inner(path))}",
                )
            )


def _own_tests(area: Area, change: Change, path: str) -> set[str]:
    """By name: `trading/risk/…` has `tests/risk`, `trading/values.py` has `tests/test_values.py`, a
    strategy has the folder of its own name."""
    parts = PurePosixPath(area.inner(path)).parts
    if len(parts) > 3 and parts[1] == "strategies":
        own = f"tests/strategies/{parts[2]}"
        if _has_tests(area.root / own):
            return {own}
        if not (change.base.folder / area.prefix / Path(*parts[:3])).is_dir():
            return set()  # a new strategy comes with tests
    if len(parts) > 2:
        return {f"tests/{parts[1]}"} if _has_tests(area.root / "tests" / parts[1]) else set()
    file = f"tests/test_{PurePosixPath(parts[-1]).stem}.py"
    return {file} if (area.root / file).is_file() else set()


def _home(inner: str) -> str:
    parts = PurePosixPath(inner).parts
    if len(parts) > 3 and parts[1] == "strategies":
        return f"tests/strategies/{parts[2]}/test_{parts[2]}.py"
    return f"tests/{parts[1]}/" if len(parts) > 2 else f"tests/test_{parts[-1]}"


class _Mentions:
    """Tests that name a module, for code whose tests are called something else."""

    def __init__(self, root: Path) -> None:
        self._texts = {
            file.relative_to(root).as_posix(): file.read_text("utf-8", "replace")
            for file in sorted((root / "tests").rglob("test_*.py"))
        }

    def of(self, inner: str) -> set[str]:
        parts = PurePosixPath(inner).with_suffix("").parts
        if len(parts) > 3 and parts[1] == "strategies":
            return set()
        names = parts[:-1] if parts[-1] == "__init__" or not inner.endswith(".py") else parts
        package, _, name = ".".join(names).rpartition(".")
        pattern = re.compile(
            rf"\b{re.escape(package)}\.{re.escape(name)}\b"
            rf"|from {re.escape(package)} import [^\n]*\b{re.escape(name)}\b"
        )
        return {file for file, text in self._texts.items() if pattern.search(text)}


def _is_test(path: str) -> bool:
    name = PurePosixPath(path).name
    return name.startswith("test_") and name.endswith(".py")


def _has_tests(folder: Path) -> bool:
    return folder.is_dir() and any(folder.rglob("test_*.py"))
