"""The rules on what is really in this repository, and on what is too large for a case."""

from __future__ import annotations

import ast
import contextlib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies import rooms, strategies
from policies.migrations import sql

ROOT = Path(__file__).resolve().parents[3]
SCRIPTS = sorted((ROOT / "app/trading/migrations/versions").glob("r*.py"))


def constants(script: Path) -> dict[str, object]:
    return {
        target.id: node.value.value
        for node in ast.parse(script.read_text()).body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
        for target in node.targets
        if isinstance(target, ast.Name)
    }


def test_the_migrations_of_the_application_are_fine() -> None:
    known: list[object] = []
    for script in SCRIPTS:
        found = constants(script)
        facts = {
            "revision": found["revision"],
            "down_revision": found["down_revision"],
            "kind": found["kind"],
            "transactional": found.get("TRANSACTIONAL", True),
            "up": [found["UP"]],
            "down": [found["DOWN"]],
            "both_kinds": False,
            "known": list(known),
        }
        assert rooms.judge("migrations", facts, rooms.packaged_data("migrations")) == []
        known.append(found["revision"])
    assert len(known) >= 2


def test_the_template_has_the_headings_that_are_asked_for() -> None:
    template = (ROOT / ".github/pull_request_template.md").read_text()
    data = rooms.packaged_data("pull_request")
    facts = {"text": template, "local": False, "strategies": ["momentum"]}
    messages = [finding.message for finding in rooms.judge("pull_request", facts, data)]
    assert not any("is missing" in message for message in messages)
    assert sum("not ticked" in message for message in messages) == 4


@pytest.mark.parametrize("unit", ["x", "\n", "# ", "- [ ] a\n", "<!--", "risk:", "```\n", "\u202e"])
def test_a_megabyte_of_text_is_one_clear_finding(unit: str) -> None:
    data = rooms.packaged_data("pull_request")
    text = (unit * 1_000_000)[:1_000_000] + "x"
    facts = {"text": text, "local": False, "strategies": []}
    (finding,) = rooms.judge("pull_request", facts, data)
    assert "bytes, at most 60,000 are allowed" in finding.message


@pytest.mark.timeout(5)
@pytest.mark.parametrize("unit", ["\n", "# ", " ", "- [ ] \n", "risk", ":", "```\n", "#", "<!--"])
def test_a_text_just_within_the_limit_is_judged_at_once(unit: str) -> None:
    data = rooms.packaged_data("pull_request")
    text = "## Risk\nrisk" + (unit * 59_000)[:59_000]
    facts = {"text": text, "local": False, "strategies": ["momentum"]}
    assert rooms.judge("pull_request", facts, data)


@given(st.text("a;'\"$-/*\n \\e", max_size=60))
def test_any_sql_is_split_or_called_unreadable(text: str) -> None:
    found: list[str] = []
    with contextlib.suppress(sql.Unreadable):
        found = sql.statements(text)
    assert all(statement == statement.strip() and statement for statement in found)


@given(st.text(min_size=1, max_size=30).filter(lambda t: "'" not in t and "\0" not in t))
def test_harm_inside_a_text_is_no_statement(text: str) -> None:
    assert sql.statements(f"select '{text}; drop table trading.orders'") == ["select ''"]


@pytest.mark.parametrize(
    ("branch", "folder"),
    [
        ("feature/quant-strategy-mean-reversion", "mean_reversion"),
        ("feature/strategy-breakout", "breakout"),
        ("feature/strategy-", ""),
        ("feature/console-colours", ""),
        ("develop", ""),
    ],
)
def test_a_branch_is_named_after_a_folder(branch: str, folder: str) -> None:
    assert strategies.of_branch(branch) == folder


def test_the_strategies_of_this_application_have_domain_experts() -> None:
    owners = (ROOT / ".github/CODEOWNERS").read_text()
    folders = sorted(p.parent.name for p in (ROOT / strategies.CODE).glob("*/__init__.py"))
    assert len(folders) >= 3
    for name in folders:
        facts = {
            "branch": f"feature/strategy-{name.replace('_', '-')}",
            "files": [f"{strategies.CODE}{name}/__init__.py"],
            "values": [],
            "codeowners": owners,
        }
        found = rooms.judge("strategy_isolation", facts, rooms.packaged_data("strategy_isolation"))
        assert [finding.severity for finding in found] == ["note"]
