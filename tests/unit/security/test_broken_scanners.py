"""A scanner that is missing, hangs, crashes or answers garbage is red, and says which one it was."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from pipelines.adapters.check_environments import CheckEnvironments
from pipelines.model.advisory import IndexRecord
from pipelines.model.check import BROKEN, FAILED, PASSED, StageResult
from pipelines.model.errors import Unavailable
from pipelines.stages.protocol import Done, Options
from pipelines.stages.security import SecurityStage, bandit, code
from pipelines.stages.security.part import Broken
from pipelines.stages.security.secrets import detector
from tests.support.security_change import Bench, ScriptedTools, SmallRepository
from tests.unit.security.test_forms_of_secrets import SECRETS

EMPTY_BANDIT = json.dumps({"results": [], "errors": [], "metrics": {"pipelines/b.py": {}}})
EMPTY_DETECTOR = json.dumps({"version": "1", "plugins": ["x"], "lines": 3, "found": []})
WAYS = {
    "missing": "",
    "hangs": "sleep 30",
    "crashes": "echo no >&2; exit 3",
    "is killed": "kill -9 $$",
    "answers garbage": "echo '<html>'",
    "answers another JSON": "echo '[]'",
    "answers nothing": "exit 0",
    "floods": "head -c 30000000 /dev/zero",
}


def judged(
    repository: SmallRepository, bench: Bench, scripts: Mapping[str, str], **changed: Any
) -> StageResult:
    assert isinstance(bench.environments, CheckEnvironments)
    tools = ScriptedTools(bench.folder, scripts, bench.environments.tools())
    repository.commit({"pipelines/b.py": "B = 2\n"})
    workshop = bench.workshop(repository, environments=tools, **changed)
    return SecurityStage().run(repository.change(), workshop)


@pytest.mark.parametrize(
    ("name", "how"),
    [
        *[("bandit", how) for how in WAYS],
        *[("python", how) for how in WAYS],
    ],
)
def test_a_scanner_that_fails_is_red(
    repository: SmallRepository, bench: Bench, monkeypatch: pytest.MonkeyPatch, name: str, how: str
) -> None:
    monkeypatch.setattr({"bandit": bandit, "python": detector}[name], "SECONDS", 1.0)
    result = judged(repository, bench, {name: WAYS[how]})
    assert result.status == BROKEN
    part = {"bandit": "code: bandit", "python": "secrets: detect-secrets"}[name]
    (broken,) = [finding for finding in result.findings if finding.rule == "security/broken"]
    assert broken.message.startswith(part)


@pytest.mark.parametrize(
    ("scripts", "words"),
    [
        ({"bandit": f"echo '{EMPTY_BANDIT}'"}, "fault that was planted"),
        ({"python": f"echo '{EMPTY_DETECTOR}'"}, "secrets that were planted"),
    ],
)
def test_an_all_clear_that_misses_what_was_planted_is_red(
    repository: SmallRepository, bench: Bench, scripts: Mapping[str, str], words: str
) -> None:
    result = judged(repository, bench, scripts)
    assert result.status == BROKEN
    assert words in result.summary


def test_what_the_other_scanners_found_is_told_all_the_same(
    repository: SmallRepository, bench: Bench
) -> None:
    repository.commit({"a.md": f"token {SECRETS['github-token']}\n"})
    result = judged(repository, bench, {"bandit": "exit 1"})
    assert result.status == BROKEN
    assert "secret/github-token" in [finding.rule for finding in result.findings]


def test_a_scan_that_left_a_file_out_is_broken(tmp_path: Path) -> None:
    planted = tmp_path / "planted.py"
    found = {
        "test_id": "B602",
        "filename": str(planted),
        "line_number": 5,
        "line_range": [5],
        "issue_severity": "HIGH",
        "issue_confidence": "HIGH",
        "issue_text": "x",
    }
    answer = {"results": [found], "errors": [], "metrics": {"./a.py": {}}}
    done = Done(0, json.dumps(answer), "", 1.0)
    assert bandit.read_answer(done, ["a.py"], planted) == ([], [])
    with pytest.raises(Broken, match=r"did not look at 1 file\(s\), such as b.py"):
        bandit.read_answer(done, ["a.py", "b.py"], planted)


@pytest.mark.parametrize(
    "done",
    [
        pytest.param(Done(None, "", "", 1.0, "timeout"), id="hangs"),
        pytest.param(Done(1, "{}", "", 1.0), id="crashes"),
        pytest.param(Done(0, "{}", "", 1.0), id="garbage"),
        pytest.param(
            Done(0, '{"files": [], "found": [], "sql_of_constants": [], "unread": []}', "", 1.0),
            id="looked at nothing",
        ),
    ],
)
def test_own_rules_that_fail_are_red(done: Done) -> None:
    with pytest.raises(Broken, match="own rules"):
        code.read_own(done, ["a.py"])


# Where advisories come from


@pytest.mark.parametrize("field", ["history", "advisory_snapshot"])
def test_a_workshop_that_lacks_something_is_red(
    repository: SmallRepository, bench: Bench, field: str
) -> None:
    assert judged(repository, bench, {}, **{field: None}).status == BROKEN


def test_without_snapshot_and_index_it_is_red(repository: SmallRepository, bench: Bench) -> None:
    result = judged(repository, bench, {}, options=Options())
    assert result.status == BROKEN
    assert "no snapshot" in result.summary


def test_a_damaged_snapshot_is_red(repository: SmallRepository, bench: Bench) -> None:
    file = bench.folder / "damaged.tgz"
    file.write_bytes(b"x")
    assert judged(repository, bench, {}, options=Options(advisories=file)).status == BROKEN


def test_an_index_that_is_away_is_red(repository: SmallRepository, bench: Bench) -> None:
    def away(_: object) -> Mapping[str, IndexRecord | str]:
        raise Unavailable("the package index does not answer")

    result = judged(repository, bench, {}, options=Options(), package_index=away)
    assert result.status == BROKEN
    assert "does not answer" in result.summary


CLEAR = IndexRecord("1.2.0", False, {})
OTHER = IndexRecord("2.0", False, {})


@pytest.mark.parametrize(
    ("record", "status", "rule"),
    [
        (CLEAR, PASSED, ""),
        (IndexRecord("1.3.0", False, {}), FAILED, "dependencies/unknown"),
        (IndexRecord("1.2.0", False, None), FAILED, "dependencies/unknown"),
        (IndexRecord("1.2.0", True, {}), FAILED, "dependencies/yanked"),
        (
            IndexRecord("1.2.0", False, {"PYSEC-2026-1": ("CVE-1",)}),
            FAILED,
            "advisory/PYSEC-2026-1",
        ),
        ("the package index answered 404", FAILED, "dependencies/unknown"),
    ],
    ids=["clear", "an older pin", "no list", "taken back", "a hole", "not there"],
)
def test_the_index_speaks_for_the_newest_release_only(
    repository: SmallRepository, bench: Bench, record: IndexRecord | str, status: str, rule: str
) -> None:
    def ask(_: object) -> Mapping[str, IndexRecord | str]:
        return {"example": record, "other-thing": OTHER}

    result = judged(repository, bench, {}, options=Options(), package_index=ask)
    assert result.status == status
    assert [f.rule for f in result.findings] == ([rule] if rule else [])
