"""What a release would change is named path by path; a tree that cannot be read is red."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from pipelines.adapters.check_render import read_tree
from pipelines.adapters.programs import LocalPrograms
from pipelines.model.check import FAILED, PASSED, Change, StageResult
from pipelines.stages.protocol import Options, Rendered, Workshop
from pipelines.stages.render import RenderStage
from pipelines.stages.render_difference import difference, flat
from tests.support.repository import Repository
from tests.support.tiny_application import ENVIRONMENT

SLIPWAY = """name: tiny
module: tiny
processes:
  api: {args: [serve], sockets: [live, slot]}
"""
FILES = {
    "app/slipway.yaml": SLIPWAY,
    "app/requirements.lock": "pydantic==2.1.0 \\\n    --hash=sha256:aa\n",
    "app/tiny/migrations/versions/0001_first.py": "revision = 'a1'\n",
    "environments/base/values.yaml": "tiny:\n  speed: 1\n  strategies:\n    one: {plugin: one}\n",
    "environments/dev/values.yaml": "tiny:\n  speed: 2\n",
    **{f"environments/{n}/environment.yaml": ENVIRONMENT for n in ("dev", "staging", "production")},
}


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(tmp_path, FILES)
    made.branch("feature/x")
    return made


def _run(change: Change, folder: Path, running: Mapping[str, str] | None = None) -> StageResult:
    class Nothing:
        def tools(self) -> Path:
            raise AssertionError("render needs no tools")

        def python(self, lock: Path) -> Path:
            raise AssertionError("render needs no environment")

    workshop = Workshop(
        *(LocalPrograms(folder), Nothing(), folder, folder, lambda: datetime.now(UTC)),
        options=Options(running=running or {}), renderer=read_tree,
    )  # fmt: skip
    return RenderStage().run(change, workshop)


def _rows(result: StageResult) -> set[tuple[Any, ...]]:
    return {tuple(row.values()) for row in result.document["changes"]}


def test_values_strategies_settings_migrations_and_packages_are_told_apart(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit(
        {
            "environments/base/values.yaml": "tiny:\n  speed: 3\n  strategies:\n"
            "    one: {plugin: one}\n    two: {plugin: two, capital: 5}\n",
            "environments/staging/environment.yaml": ENVIRONMENT.replace("30", "60"),
            "app/requirements.lock": "pydantic==2.2.0 \\\n    --hash=sha256:bb\n",
            "app/tiny/migrations/versions/0002_next.py": "revision = 'b2'\n",
            "app/slipway.yaml": SLIPWAY.replace("[serve]", "[serve, api]"),
        }
    )
    result = _run(repository.change(), tmp_path)
    assert result.status == PASSED
    assert _rows(result) == {
        ("values", "staging, production", "tiny.speed", "1", "3"),
        ("strategies", "all", "tiny.strategies.two.plugin", None, '"two"'),
        ("strategies", "all", "tiny.strategies.two.capital", None, "5"),
        ("settings", "staging", "soak_seconds", "30", "60"),
        ("dependencies", "all", "pydantic", "2.1.0", "2.2.0"),
        ("migrations", "all", "b2", None, "yes"),
        ("processes", "all", "processes.api.args", '["serve"]', '["serve", "api"]'),
    }
    assert "| dependencies | all | pydantic | 2.1.0 | 2.2.0 |" in result.markdown


def test_code_alone_changes_nothing_that_is_rendered(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit({"app/tiny/__init__.py": "x = 1\n"})
    result = _run(repository.change(), tmp_path)
    assert (result.status, result.summary) == (
        PASSED, "nothing changes in 3 environments but code",
    )  # fmt: skip
    assert result.samples > 5


@pytest.mark.parametrize(
    ("path", "text", "words", "line"),
    [
        ("environments/base/values.yaml", "tiny:\n  a: [1\n", "not YAML", 3),
        ("environments/dev/values.yaml", "tiny:\n  a: 1\n  a: 2\n", "is there twice", 3),
        ("environments/dev/values.yaml", "tiny:\n  speed: {x: 1}\n", "replaces 1", 2),
        ("environments/dev/environment.yaml", "target: nowhere\n", "'nowhere' is not allowed", 1),
        ("app/slipway.yaml", SLIPWAY + "surprise: 1\n", "surprise", 5),
    ],
)
def test_a_broken_data_file_is_red_with_file_and_line(
    repository: Repository, tmp_path: Path, path: str, text: str, words: str, line: int
) -> None:
    if path.endswith("environment.yaml"):
        text = ENVIRONMENT.lstrip().replace("target: local\n", text)
    repository.commit({path: text})
    result = _run(repository.change(), tmp_path)
    assert result.status == FAILED
    (finding,) = result.findings
    assert words in finding.message
    assert (finding.path, finding.line) == (path, line)


def test_a_base_that_cannot_be_read_does_not_stop_its_repair(tmp_path: Path) -> None:
    repository = Repository(tmp_path, {**FILES, "environments/dev/values.yaml": "tiny: [\n"})
    repository.branch("feature/x")
    repository.commit({"environments/dev/values.yaml": "tiny: {speed: 9}\n"})
    result = _run(repository.change(), tmp_path)
    assert result.status == PASSED
    assert result.findings[0].severity == "warning"
    assert "the base cannot be rendered" in result.findings[0].message


def test_the_difference_to_what_runs_is_shown_beside_but_is_no_part_of_the_record(
    repository: Repository, tmp_path: Path
) -> None:
    repository.commit({"environments/dev/values.yaml": "tiny:\n  speed: 7\n"})
    change = repository.change()
    active = {
        "processes": {"api": {"args": ["serve"], "sockets": ["live", "slot"]}},
        "migrations": ["a1"],
        "values": {"tiny": {"speed": 5, "strategies": {"one": {"plugin": "one"}}}},
    }
    result = _run(change, tmp_path, {"dev": yaml.safe_dump(active)})
    (row,) = result.observed["running"]["dev"]
    assert (row["path"], row["old"], row["new"]) == ("tiny.speed", "5", "7")
    assert result.document == _run(change, tmp_path).document


def test_what_runs_decides_whether_an_answer_may_be_used_again(repository: Repository) -> None:
    change, stage = repository.change(), RenderStage()
    one = stage.inputs(change, Options(running={"dev": "a"}))
    assert one != stage.inputs(change, Options(running={"dev": "b"}))


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.dictionaries(st.from_regex(r"[a-z]{1,3}", fullmatch=True), inner, max_size=3),
    max_leaves=8,
)
_MAPPINGS = st.dictionaries(st.from_regex(r"[a-z]{1,3}", fullmatch=True), _VALUES, max_size=4)


@given(_MAPPINGS, _MAPPINGS)
def test_a_difference_has_a_row_for_exactly_what_differs(
    old: dict[str, Any], new: dict[str, Any]
) -> None:
    rows = difference(Rendered(values={"dev": old}), Rendered(values={"dev": new}))
    was, now = flat(old), flat(new)
    rebuilt = dict(was)
    for row in rows:
        assert row.old == was.get(row.path)
        if row.new is None:
            del rebuilt[row.path]
        else:
            rebuilt[row.path] = row.new
    assert rebuilt == now
    assert (not rows) == (was == now)
