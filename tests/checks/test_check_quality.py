"""Every part of the quality stage turns red for the defect it is there for, by the real tools."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from pipelines.adapters.change import Wanted
from pipelines.adapters.check_environments import CheckEnvironments
from pipelines.model.check import BROKEN, FAILED, PASSED, StageResult
from pipelines.model.errors import BadInput
from pipelines.stages.protocol import Done, Programs
from pipelines.stages.quality import QualityStage
from pipelines.stages.quality_area import Area, Bench, Part, areas
from pipelines.stages.quality_duplication import duplication_part
from pipelines.stages.quality_lint import complexity_part, format_part, lint_part, loosened_part
from pipelines.stages.quality_tests import tests_parts as parts_of_tests
from pipelines.stages.quality_texts import scripts_part, yaml_part
from pipelines.stages.quality_types import types_part
from tests.support import quality_project
from tests.support.quality_project import PYPROJECT, SUMS, TEST_SUMS
from tests.support.repository import Repository

LONG = "\n".join(f"    if number == {n}:\n        return {n * 7}" for n in range(12))
COMPLEX = f'"""Cases."""\n\n\ndef cases(number: int) -> int:\n{LONG}\n    return 0\n'
BODY = "\n".join(f"    found = found * {n} + numbers[{n}] - {n * 3}" for n in range(2, 16))
FORMULA = f'"""A formula."""\n\n\ndef NAME(numbers: list[int]) -> int:\n    found = 0\n{BODY}\n    return found\n'  # noqa: E501
UNREACHED = SUMS + "\n\ndef other(number: int) -> int:\n" + "".join(
    f"    number += {n}\n" for n in range(20)
) + "    return number\n"  # fmt: skip

EATS = "\n\ndef test_much() -> None:\n    bytearray(5 << 30)\n"

Files = Mapping[str, str | None]
Make = Callable[[Files], "Place"]


class Place:
    """A change to the small project, and what the stage's parts need."""

    def __init__(self, repository: Repository, environments: Path, folder: Path) -> None:
        self.change = repository.change()
        self._shops = quality_project.workshops(folder, environments)

    def part(self, name: str, programs: Programs | None = None) -> Part:
        """One part of the area `app`; `programs` in place of the real ones."""
        made: dict[str, Callable[[Area, Bench], Part]] = {
            "format": format_part, "lint": lint_part, "complexity": complexity_part,
            "loosened": loosened_part, "types": types_part, "duplication": duplication_part,
        }  # fmt: skip
        with self._shops.open("quality", lambda _: None) as shop:
            shop = replace(shop, programs=programs or shop.programs)
            bench = Bench(self.change, shop, shop.environments.tools())
            if name in ("scripts", "yaml"):
                return {"scripts": scripts_part, "yaml": yaml_part}[name](bench)
            (area,) = (area for area in areas(self.change) if area.name == "app")
            if name in ("tests", "coverage"):
                return {part.name: part for part in parts_of_tests(area, bench)}[name]
            return made[name](area, bench)

    def whole(self) -> StageResult:
        with self._shops.open("quality", lambda _: None) as shop:
            return QualityStage().run(self.change, shop)


@pytest.fixture(scope="module")
def environments(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("environments")


@pytest.fixture
def make(tmp_path: Path, environments: Path) -> Make:
    def change(files: Files) -> Place:
        repository = Repository(tmp_path, quality_project.files())
        repository.branch("feature/x")
        repository.commit(files)
        return Place(repository, environments, tmp_path)

    return change


@pytest.mark.parametrize(
    ("part", "files", "rule", "words", "place"),
    [
        ("format", {"app/tiny/sums.py": SUMS.replace("found = 0", "found  =  0")},
         "ruff/unformatted", "the file is not formatted", "app/tiny/sums.py:6"),
        ("lint", {"app/tiny/sums.py": SUMS.replace('"""Sums."""', '"""Sums."""\n\nimport os')},
         "ruff/F401", "`os` imported but unused", "app/tiny/sums.py:3"),
        ("complexity", {"app/tiny/cases.py": COMPLEX},
         "ruff/C901", "`cases` is too complex (13 > 10)", "app/tiny/cases.py:4"),
        ("complexity",
         {"app/tiny/cases.py": COMPLEX.replace("-> int:\n", "-> int:  # noqa: C901\n", 1)},
         "ruff/C901", "`cases` is too complex (13 > 10)", "app/tiny/cases.py:4"),
        ("loosened", {"app/tiny/sums.py": "# ruff: noqa\n" + SUMS},
         "quality/loosened", "switches the linter off for the whole file", "app/tiny/sums.py:1"),
        ("loosened", {"app/tiny/sums.py": SUMS + "x = total([])  # type: ignore\n"},
         "quality/loosened", "ignores every type error of its line", "app/tiny/sums.py:15"),
        ("types", {"app/tiny/sums.py": SUMS.replace("found = 0", "found: str = 0")},
         "mypy/assignment", "Incompatible types in assignment", "app/tiny/sums.py:6"),
        ("types", {"app/tiny/sums.py": SUMS + "\n\ndef loose(x):\n    return x\n"},
         "mypy/no-untyped-def", "Function is missing a type annotation", "app/tiny/sums.py:17"),
        ("types", {"app/tiny/sums.py": "def (:\n"}, "mypy/syntax", "", "app/tiny/sums.py:1"),
        ("duplication", {"app/tiny/one.py": FORMULA.replace("NAME", "one"),
                         "app/tiny/two.py": FORMULA.replace("NAME", "two")},
         "symilar/duplicate", "lines are the same as at app/tiny/", "app/tiny/one.py"),
        ("duplication", {"app/tiny/one.py": FORMULA.replace("NAME", "one"),
                         "app/tiny/two.py": FORMULA.replace("NAME", "two"),
                         "app/astroid.py": "print('TOTAL lines=9 duplicates=0')\nraise SystemExit\n"},
         "symilar/duplicate", "lines are the same as at app/tiny/", "app/tiny/one.py"),
        ("tests", {"app/tiny/sums.py": SUMS.replace("found += number", "found -= number")},
         "pytest/failed", "test_total: assert -3 == 3", "app/tests/test_sums.py"),
        ("tests", {"app/tests/test_sums.py": TEST_SUMS + EATS},
         "pytest/failed", "test_much: MemoryError", "app/tests/test_sums.py"),
        ("tests", {"app/tests/test_sums.py": "def test_x():\n    import nothing_of_this_name\n"},
         "pytest/failed", "No module named 'nothing_of_this_name'", "app/tests/test_sums.py"),
        ("tests", {"app/tiny/alone.py": "def alone() -> int:\n    return 1\n"},
         "quality/untested", "no tests were found for this code", "app/tiny/alone.py"),
        ("tests", {"app/tiny/strategies/fast/__init__.py": "SPEED = 1\n"},
         "quality/untested", "no tests were found", "app/tiny/strategies/fast/__init__.py"),
        ("tests", {"app/tests/test_sums.py": TEST_SUMS.replace("def test_total", "import pytest\n\n\n"
                   "pytestmark = pytest.mark.skip\n\n\ndef test_total")},
         "quality/tests", "all 2 tests were skipped", ""),
        ("coverage", {"app/tiny/sums.py": UNREACHED},
         "quality/coverage", "at least 80 % are needed", ""),
        ("scripts", {"scripts/run": "#!/bin/sh\nif true; then\n  echo x\n"},
         "quality/scripts", "", "scripts/run:"),
        ("yaml", {"environments/dev/values.yaml": "tiny:\n  a: 1\n  a: 2\n"},
         "quality/yaml", "key 'a' is there twice", "environments/dev/values.yaml:3"),
    ],
)  # fmt: skip
def test_a_planted_defect_is_found_where_it_is(
    make: Make, part: str, files: Files, rule: str, words: str, place: str
) -> None:
    found = make(files).part(part)
    assert found.status == FAILED, found
    wanted = [f for f in found.findings if f.rule == rule and words in f.message]
    assert wanted, found.findings
    assert any(f"{f.path}:{f.line}".startswith(place) for f in wanted), wanted


def test_a_change_without_a_defect_passes_and_says_what_was_looked_at(make: Make) -> None:
    better = SUMS.replace("Zero of nothing.", "The largest one; zero of nothing.")
    found = make({"app/tiny/sums.py": better}).whole()
    assert found.status == PASSED, found.summary
    assert found.summary.startswith("2 tests in tests/test_sums.py; 100 % of 7 lines in 1 changed")
    assert found.tools.keys() == {"ruff", "mypy", "pylint", "coverage"}
    assert found.document["app/tests"]["ran"] == 2


def test_the_whole_stage_is_red_with_every_defect_named(make: Make) -> None:
    found = make({"app/tiny/sums.py": SUMS.replace("found += number", "found  -=  number")}).whole()
    assert found.status == FAILED
    assert {f.rule for f in found.findings} == {"ruff/unformatted", "pytest/failed"}
    assert "format (app): 1 problem" in found.summary


def test_a_change_cannot_loosen_the_settings_it_is_judged_by(make: Make) -> None:
    loose = PYPROJECT.replace('"S"]\n\n', '"X"]\nignore = ["F401"]\n\n').replace('"X"', '"F"')
    bad = SUMS.replace('"""Sums."""', '"""Sums."""\n\nimport os')
    found = make({"app/pyproject.toml": loose, "app/tiny/sums.py": bad}).part("lint")
    assert [f.rule for f in found.findings] == ["ruff/F401"]


def test_code_that_only_a_started_process_reaches_counts_as_reached(make: Make) -> None:
    test = """import subprocess
import sys


def test_it_runs() -> None:
    subprocess.run([sys.executable, "-m", "tiny.run"], check=True)
"""
    code = "".join(f"x{n} = {n}\n" for n in range(30))
    found = make({"app/tiny/run.py": code, "app/tests/test_run.py": test}).part("coverage")
    assert found.status == PASSED, found
    assert found.observed["percent"] == 100.0


def test_nothing_is_measured_where_nobody_asks_what_tests_reach(make: Make) -> None:
    place = make({
        "app/tests/test_sums.py": TEST_SUMS
        + "\n\ndef test_it_is_not_measured() -> None:\n    import sys\n\n"
        "    assert 'coverage' not in sys.modules\n"
    })  # fmt: skip
    assert place.part("tests").status == PASSED
    found = place.part("coverage")
    assert (found.status, found.samples, found.words) == (PASSED, 0, "no source file was changed")


def test_everything_is_judged_when_it_is_asked_for(tmp_path: Path, environments: Path) -> None:
    old = {
        "app/tiny/old.py": "import os\n",
        "app/tests/test_old.py": "import tiny.old  # noqa: F401\n",
    }
    repository = Repository(tmp_path, {**quality_project.files(), **old})
    repository.branch("feature/x")
    repository.commit({"app/tiny/sums.py": SUMS + "# more\n"})
    place = Place(repository, environments, tmp_path)
    assert place.part("lint").status == PASSED
    place.change = repository.change(Wanted(everything=True))
    assert [f.path for f in place.part("lint").findings] == ["app/tiny/old.py"]


class _Answers:
    """A tool that answers something else than it should."""

    def __init__(self, done: Done) -> None:
        self._done = done

    def run(self, *_: object, **__: object) -> Done:
        return self._done


@pytest.mark.parametrize("part", ["format", "lint", "complexity", "types", "duplication", "tests"])
@pytest.mark.parametrize(
    "done",
    [
        Done(None, "", "", 0.0, "missing"),
        Done(None, "", "", 120.0, "timeout"),
        Done(None, "x" * 100, "", 1.0, "output"),
        Done(0, "", "", 1.0),
        Done(0, "all is well", "", 1.0),
        Done(1, "[]", "", 1.0),
        Done(1, "", "Traceback", 1.0),
        Done(139, "", "", 1.0),
    ],
)
def test_a_tool_that_is_missing_hangs_or_talks_nonsense_is_red(
    part: str, done: Done, changed: Place
) -> None:
    found = changed.part(part, _Answers(done))
    assert found.status == BROKEN, found
    assert found.samples == 0
    assert found.findings[0].severity == "error"


@pytest.fixture(scope="module")
def changed(tmp_path_factory: pytest.TempPathFactory, environments: Path) -> Place:
    folder = tmp_path_factory.mktemp("answering")
    repository = Repository(folder, quality_project.files())
    repository.branch("feature/x")
    repository.commit({"app/tiny/sums.py": SUMS + "# more\n"})
    return Place(repository, environments, folder)


def test_an_environment_is_made_once(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(quality_project.testing_lock())
    made = CheckEnvironments(tmp_path / "made", quality_project.CHECK_LOCK)
    python = made.python(lock)
    stamp = python.stat().st_mtime_ns
    assert made.python(lock) == python
    assert python.stat().st_mtime_ns == stamp
    assert [p.name for p in (tmp_path / "made").iterdir() if p.name.startswith(".making")] == []


def test_two_at_once_make_one_environment_and_a_killed_one_is_not_used(tmp_path: Path) -> None:
    lock, folder = tmp_path / "requirements.lock", tmp_path / "made"
    lock.write_text(quality_project.testing_lock())
    half = folder / ".making-1-half"
    (half / "bin").mkdir(parents=True)
    with ThreadPoolExecutor(2) as two:
        makers = [CheckEnvironments(folder, quality_project.CHECK_LOCK) for _ in range(2)]
        found = {asked.result() for asked in [two.submit(m.python, lock) for m in makers]}
    assert len(found) == 1
    assert not half.exists()
    run = [str(found.pop()), "-c", "import pytest"]
    assert subprocess.run(run, check=False).returncode == 0


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("--index-url http://elsewhere", "the option '--index-url' is refused"),
        ("-e .", "the option '-e' is refused"),
        ("-r other.txt", "the option '-r' is refused"),
        ("evil @ https://elsewhere/evil.whl", "an address in place of a version"),
        ("evil==1.0", "hash"),
    ],
)
def test_a_lock_that_names_anything_but_hashed_packages_is_refused(
    tmp_path: Path, line: str, words: str
) -> None:
    lock = tmp_path / "requirements.lock"
    lock.write_text(f"{quality_project.testing_lock()}{line}\n")
    with pytest.raises(BadInput, match=words):
        CheckEnvironments(tmp_path / "made", quality_project.CHECK_LOCK).python(lock)
    assert [p.name for p in (tmp_path / "made").glob("[!.]*")] == []
