"""What a lock may hold."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.stages.security.lock_file import find_locks, read_lock
from tests.support.security_change import HASH, LOCK


def test_every_pin_is_read_with_its_line() -> None:
    pins, findings = read_lock("requirements.lock", LOCK)
    assert [(p.name, p.version, p.line) for p in pins] == [
        ("example", "1.2.0", 1),
        ("other-thing", "2.0", 3),
    ]
    assert findings == []


@pytest.mark.parametrize(
    ("line", "name", "version"),
    [
        (f"Other_Thing==2.0 {HASH}", "other-thing", "2.0"),
        (f"a[extra]==1.0rc1 ; sys_platform == 'win32' {HASH}", "a", "1.0rc1"),
        (f"torch==2.0+cu118 {HASH}  # via x", "torch", "2.0+cu118"),
        (f"a==1.0 \\\n  {HASH} \\\n  {HASH}\n    # via\n    #   b", "a", "1.0"),
        ("a==1 --hash=sha512:" + "0" * 128, "a", "1"),
    ],
)
def test_a_pin_in_any_of_its_forms(line: str, name: str, version: str) -> None:
    pins, findings = read_lock("requirements.lock", line)
    assert [(p.name, p.version) for p in pins] == [(name, version)]
    assert findings == []


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        pytest.param("a==1.0", "lock/no-hash", id="no hash"),
        pytest.param("a==1.0 --hash=md5:" + "0" * 32, "lock/weak-hash", id="md5"),
        pytest.param("a==1.0 --hash=sha256:abc", "lock/weak-hash", id="half a hash"),
        pytest.param(f"a>=1.0 {HASH}", "lock/not-pinned", id="a range"),
        pytest.param(f"a==1.* {HASH}", "lock/not-pinned", id="a family"),
        pytest.param(f"a {HASH}", "lock/not-pinned", id="no version"),
        pytest.param(f"a==1.0,<2 {HASH}", "lock/not-pinned", id="two conditions"),
        pytest.param("--index-url https://example.org/simple", "lock/index-url", id="an index"),
        pytest.param(
            "--extra-index-url=https://example.org", "lock/index-url", id="one more index"
        ),
        pytest.param("--find-links ./wheels", "lock/index-url", id="a folder"),
        pytest.param("-i https://example.org", "lock/index-url", id="a short option"),
        pytest.param("-e ./lib", "lock/editable", id="editable"),
        pytest.param("-r other.txt", "lock/include", id="another file"),
        pytest.param(f"a @ https://example.org/a.whl {HASH}", "lock/direct-url", id="an address"),
        pytest.param("git+https://example.org/a.git", "lock/direct-url", id="a repository"),
        pytest.param("./wheels/a.whl", "lock/direct-url", id="a file"),
        pytest.param("what is this", "lock/unreadable", id="no requirement"),
    ],
)
def test_what_is_not_exact_is_refused_with_its_line(line: str, rule: str) -> None:
    _, findings = read_lock("app/requirements.lock", f"{LOCK}{line}\n")
    assert [(f.rule, f.path, f.line, f.severity) for f in findings] == [
        (rule, "app/requirements.lock", 5, "error")
    ]


def test_locks_are_found_wherever_they_lie_and_others_are_named(tmp_path: Path) -> None:
    for path in ("requirements.lock", "app/requirements-dev.lock", "x/y/requirements-z.lock"):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(LOCK)
    (tmp_path / "app" / "poetry.lock").write_text("")
    locks, unknown = find_locks(tmp_path)
    assert locks == ["app/requirements-dev.lock", "requirements.lock", "x/y/requirements-z.lock"]
    assert [(f.rule, f.path, f.severity) for f in unknown] == [
        ("lock/unknown-kind", "app/poetry.lock", "error")
    ]
