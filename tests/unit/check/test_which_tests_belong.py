"""Tests are chosen by what was changed; code without tests is a finding."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.adapters.change import Wanted
from pipelines.stages.quality_area import areas
from pipelines.stages.quality_choice import Choice, choose
from tests.support.repository import Repository

TEST = "def test_it() -> None:\n    assert 1\n"
FILES = {
    "app/pyproject.toml": "[project]\nname = 'tiny'\n",
    "app/tiny/__init__.py": "",
    "app/tiny/values.py": "",
    "app/tiny/lean.py": "",
    "app/tiny/risk/__init__.py": "",
    "app/tiny/risk/checks.py": "",
    "app/tiny/console/page.py": "",
    "app/tiny/strategies/__init__.py": "",
    "app/tiny/strategies/old/__init__.py": "",
    "app/tests/conftest.py": "",
    "app/tests/test_values.py": TEST,
    "app/tests/test_environments.py": TEST,
    "app/tests/risk/test_checks.py": TEST,
    "app/tests/risk/helper.py": "",
    "app/tests/strategies/test_all.py": TEST,
    "app/tests/web/test_pages.py": f"from tiny.console import page\n{TEST}",
    "app/tests/web/test_lean.py": f"import tiny.lean\n{TEST}",
}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path, FILES)
    made.branch("feature/x")
    return made


def _choose(
    repository: Repository, files: dict[str, str | None], *, everything: bool = False
) -> Choice:
    repository.commit(files)
    change = repository.change(Wanted(everything=everything))
    (area,) = (area for area in areas(change) if area.name == "app")
    return choose(area, change)


@pytest.mark.parametrize(
    ("path", "tests"),
    [
        ("app/tiny/values.py", ["tests/test_values.py"]),
        ("app/tiny/risk/checks.py", ["tests/risk"]),
        ("app/tiny/console/page.py", ["tests/web/test_pages.py"]),
        ("app/tiny/lean.py", ["tests/web/test_lean.py"]),
        ("app/tiny/strategies/old/__init__.py", ["tests/strategies"]),
        ("app/tests/risk/test_checks.py", ["tests/risk/test_checks.py"]),
        ("app/tests/risk/helper.py", ["tests/risk"]),
        ("app/tests/conftest.py", ["tests"]),
        ("environments/dev/values.yaml", ["tests/test_environments.py"]),
    ],
)
def test_each_place_has_its_tests(repository: Repository, path: str, tests: list[str]) -> None:
    choice = _choose(repository, {path: "x = 1\n"})
    assert (choice.listed(), choice.findings) == (tests, [])


def test_a_strategy_has_the_tests_of_its_own_name_alone(repository: Repository) -> None:
    files = {"app/tiny/strategies/new/__init__.py": "x = 1\n",
             "app/tests/strategies/new/test_new.py": TEST}  # fmt: skip
    choice = _choose(repository, dict(files))
    assert (choice.listed(), choice.findings) == (["tests/strategies/new"], [])


def test_a_new_strategy_without_tests_is_a_finding_that_says_where_they_belong(
    repository: Repository,
) -> None:
    choice = _choose(repository, {"app/tiny/strategies/new/__init__.py": "x = 1\n"})
    assert choice.listed() == []
    (finding,) = choice.findings
    assert finding.path == "app/tiny/strategies/new/__init__.py"
    assert finding.hint == "add them: app/tests/strategies/new/test_new.py"


def test_new_code_that_nobody_tests_is_a_finding(repository: Repository) -> None:
    choice = _choose(repository, {"app/tiny/alone.py": "x = 1\n"})
    assert [f.message for f in choice.findings] == ["no tests were found for this code"]


def test_removed_code_needs_no_tests(repository: Repository) -> None:
    choice = _choose(repository, {"app/tiny/values.py": None, "app/tests/test_values.py": None})
    assert (choice.listed(), choice.findings) == ([], [])


def test_tests_of_code_that_is_gone_are_run_as_something_may_need_it(
    repository: Repository,
) -> None:
    choice = _choose(repository, {"app/tiny/risk/checks.py": None, "app/tiny/lean.py": None})
    assert choice.listed() == ["tests/risk", "tests/web/test_lean.py"]
    assert choice.findings == []


def test_everything_means_all_tests(repository: Repository) -> None:
    assert _choose(repository, {"README.md": "x"}, everything=True).listed() == ["tests"]
