"""`slipway doctor` names what would hurt, with the value and what to do."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from pipelines.flows.doctor import Facts, Finding, examine

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
GOOD = Facts(
    state=Path("/srv/slipway"), runtime=Path("/tmp/slipway-0-01234567"), free_bytes=50_000_000_000,
    memory_bytes=8_000_000_000, write_error="", file_limit=(4096, 4096), inotify=512,
    is_root=False, namespace_error="", git="git version 2.39.5", last_commit_at=NOW, now=NOW,
)  # fmt: skip


def finding(facts: Facts, name: str) -> Finding:
    return next(one for one in examine(facts) if one.name == name)


def test_a_good_machine_has_nothing_to_mend() -> None:
    assert {one.level for one in examine(GOOD)} == {"ok"}


@pytest.mark.parametrize(
    ("facts", "name", "level", "words"),
    [
        pytest.param(replace(GOOD, git=""), "git", "fail", "not found", id="no git"),
        pytest.param(
            replace(GOOD, write_error="/srv: Read-only file system"), "state", "fail",
            "Read-only file system", id="read-only state folder",
        ),
        pytest.param(replace(GOOD, free_bytes=200_000_000), "disk", "fail", "0.2 GB", id="disk full"),
        pytest.param(
            replace(GOOD, free_bytes=2_000_000_000), "disk", "warn", "2.0 GB", id="disk nearly full"
        ),
        pytest.param(
            replace(GOOD, memory_bytes=1_000_000_000), "memory", "warn", "1.0 GB", id="little memory"
        ),
        pytest.param(
            replace(GOOD, runtime=Path("/" + "x" * 80)), "paths", "fail", "too long", id="long path"
        ),
        pytest.param(replace(GOOD, file_limit=(256, 256)), "open files", "warn", "256", id="few files"),
        pytest.param(replace(GOOD, inotify=8), "inotify", "warn", "8", id="few watches"),
        pytest.param(
            replace(GOOD, is_root=True, namespace_error="EPERM"), "user namespaces", "fail", "EPERM",
            id="root without user namespaces",
        ),
        pytest.param(
            replace(GOOD, last_commit_at=NOW + timedelta(hours=2)), "clock", "warn", "7200 s",
            id="clock set back",
        ),
        pytest.param(
            replace(GOOD, ports={18080: "nginx, pid 7"}), "ports", "fail",
            "18080 is held by nginx, pid 7", id="port in use",
        ),
        pytest.param(
            replace(GOOD, left_overs=["python, pid 9"]), "left-over processes", "warn", "pid 9",
            id="left-over process",
        ),
    ],
)  # fmt: skip
def test_what_would_hurt_is_named(facts: Facts, name: str, level: str, words: str) -> None:
    found = finding(facts, name)
    assert (found.level, words in found.message) == (level, True)
    assert found.hint or name == "paths"


def test_an_ordinary_user_needs_no_namespaces() -> None:
    assert finding(replace(GOOD, namespace_error="EPERM"), "user namespaces").level == "ok"
