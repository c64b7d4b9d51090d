"""The planted builds still fit the application they are planted in."""

from __future__ import annotations

import ast
import re
import shutil
from pathlib import Path

import pytest

from pipelines.model.steps import STEPS, effects
from tests.faults.scenarios import Scenarios
from tests.planted.builds import BUILDS, CLOSES_INSTEAD_OF_DRAINING, BadBuild
from tests.planted.edits import PACKAGE, Edit, harmless, migration

REPOSITORY = Path(__file__).resolve().parents[3]


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    shutil.copytree(REPOSITORY / PACKAGE, tmp_path / PACKAGE)
    return tmp_path


def changed(checkout: Path, edit: Edit) -> list[Path]:
    before = {path: path.read_bytes() for path in checkout.rglob("*.py")}
    edit(checkout)
    return [p for p in checkout.rglob("*.py") if before.get(p) != p.read_bytes()]


@pytest.mark.parametrize("build", BUILDS, ids=lambda build: build.name)
def test_a_planted_build_changes_code_that_exists(checkout: Path, build: BadBuild) -> None:
    paths = changed(checkout, build.edit)
    assert paths
    for path in paths:
        tree = ast.parse(path.read_text())
        names = [
            node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.ClassDef)
        ]
        for sound in re.findall(r"^_sound_\w+ = (\w+)", path.read_text(), re.MULTILINE):
            assert sound in names


def test_the_bad_builds_of_the_promise_are_planted() -> None:
    assert len(BUILDS) == 10
    assert {build.gate for build in BUILDS} <= {step.name for step in STEPS}


def test_a_planted_migration_follows_the_newest(checkout: Path) -> None:
    (path,) = changed(checkout, migration("select 1"))
    revisions = sorted(p.stem[:5] for p in path.parent.glob("r[0-9]*.py"))
    assert path.stem.startswith(revisions[-1])
    assert f'down_revision = "{revisions[-2]}"' in path.read_text()


def test_a_harmless_edit_and_the_one_without_draining_still_parse(checkout: Path) -> None:
    for edit in (harmless("x"), CLOSES_INSTEAD_OF_DRAINING):
        for path in changed(checkout, edit):
            ast.parse(path.read_text())


def test_every_durable_effect_has_a_scenario_that_reaches_it() -> None:
    assert [effect for effect in effects() if Scenarios.kind_of(effect) is None] == []
