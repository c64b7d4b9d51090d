"""Every command that README, guides and runbooks tell people to type exists, options and all.

Words in `EXERCISED` say which test runs such a command on a whole installation.
"""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import click
import pytest

from pipelines.cli.commands import COMMANDS, tree

ROOT = Path(__file__).resolve().parents[2]
PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
FENCE = re.compile(r"^```(?:console|sh)\n(.*?)^```", re.MULTILINE | re.DOTALL)
INLINE = re.compile(r"`((?:\.venv/bin/)?slipway [a-z][^`]*)`")

NEWCOMER = "tests/acceptance/test_newcomer.py"
A_CHANGE = f"{NEWCOMER}::test_a_changed_parameter_goes_from_commit_to_production"
ROLLBACK = (
    f"{NEWCOMER}::test_a_rollback_is_answered_by_the_old_release_and_held_until_somebody_lifts_it"
)
BACKUP = f"{NEWCOMER}::test_a_backup_is_verified_and_listed_with_its_reason"
RESTORE = (
    "tests/acceptance/test_restore.py::test_a_restore_puts_the_database_back_and_trading_goes_on"
)
EVIDENCE = "tests/acceptance/test_evidence.py"
SCRIPTS = "tests/acceptance/test_scripts.py::test_scripts"
BESIDE = "works_without_origin_network_and_the_new_slot"
ANSWERS = "tests/acceptance/test_commands.py"
FREEZE = f"{NEWCOMER}::test_a_freeze_stops_promotions_but_no_rollback"
DAMAGED = "tests/acceptance/test_branch_trouble.py::test_a_damaged_branch_stops_promotions_and_nothing_else"
UP = f"{NEWCOMER}::test_make_up_releases_into_three_environments_that_agree"
EXERCISED = {
    "make up": UP,
    "up": f"{NEWCOMER}::test_a_second_up_is_quick_and_changes_nothing",
    "down": UP,  # the fixture ends its installation with it
    "status": f"{NEWCOMER}::test_status_as_json_keeps_its_shape",
    "doctor": f"{NEWCOMER}::test_doctor_finds_nothing_wrong",
    "doctor --repair": DAMAGED,
    "build": A_CHANGE,
    "promote": A_CHANGE,
    "diff": A_CHANGE,
    "history": A_CHANGE,
    "why": f"{NEWCOMER}::test_why_names_strategy_release_and_people_of_an_order",
    "evidence show": f"{EVIDENCE}::test_what_soaked_in_dev_is_said_once_by_dev",
    "evidence verify": f"{EVIDENCE}::test_what_soaked_in_dev_is_said_once_by_dev",
    "evidence verify --gate": f"{EVIDENCE}::test_what_was_checked_and_lies_on_develop_goes_to_staging",
    "evidence verify --rerun": f"{EVIDENCE}::test_a_gate_is_repeated_and_compared_byte_by_byte",
    "rollback": ROLLBACK,
    "unhold": ROLLBACK,
    "audit verify": "tests/acceptance/test_audit.py::test_a_changed_entry_is_named_by_audit_verify",
    "scripts/rollback": f"{SCRIPTS}_rollback_{BESIDE}",
    "scripts/backup": f"{SCRIPTS}_backup_{BESIDE}",
    "scripts/restore": f"{SCRIPTS}_restore_{BESIDE}",
    "scripts/freeze": f"{SCRIPTS}_freeze_works_without_origin_network_and_database",
    "scripts/promote": f"{SCRIPTS}_promote_works_without_network_and_with_the_new_slot_stopped",
    "promote --dry-run": f"{ANSWERS}::test_a_dry_run_prints_the_plan_and_changes_nothing",
    "hold": f"{ANSWERS}::test_a_held_release_stays_out_until_the_hold_is_lifted",
    "lock status": f"{ANSWERS}::test_lock_status_names_the_controller_that_acts",
    "logs": f"{ANSWERS}::test_logs_gives_the_last_lines_of_the_processes_asked_for",
    "releases": f"{ANSWERS}::test_releases_lists_every_build_newest_first_with_its_commit_and_author",
    "freeze": FREEZE,
    "thaw": FREEZE,
    "backup": BACKUP,
    "restore": RESTORE,
}


def typed(page: Path) -> list[str]:
    """Command lines of a page: fenced ones behind `$ `, and `slipway …` in running text."""
    text = page.read_text()
    fenced = [
        part.strip()
        for block in FENCE.findall(text)
        for line in block.splitlines()
        if line.startswith("$ ")
        for part in line[2:].split("&&")
    ]
    return fenced + INLINE.findall(FENCE.sub("", text))


ALL = [
    pytest.param(words, id=f"{page.relative_to(ROOT)}: {words}")
    for page in PAGES
    for words in dict.fromkeys(typed(page))
]


def command_of(words: list[str]) -> click.Command:
    """The click command that a line means; fails the test when there is none."""
    assert words[0] in COMMANDS, f"no such command: {words[0]}"
    command = tree.get_command(click.Context(tree), words[0])
    assert command is not None
    if isinstance(command, click.Group):
        assert words[1] in command.commands, f"no such subcommand: {' '.join(words[:2])}"
        command = command.commands[words[1]]
    return command


def check_slipway(words: list[str]) -> None:
    if words[0] == "--help":
        return
    command = command_of(words)
    known = {name for one in command.params for name in (*one.opts, *one.secondary_opts)}
    options = words[: words.index("--")] if "--" in words else words
    for word in options:
        if word.startswith("-") and word != "-":
            assert word.partition("=")[0] in known, f"{word} is no option of {command.name}"


def check_make(words: list[str]) -> None:
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert [word for word in words if word.isalpha() and word not in targets] == []


@pytest.mark.parametrize("line", ALL)
def test_a_command_people_are_told_to_type_exists(line: str) -> None:
    words = shlex.split(line.replace("…", "TEXT"))
    program = words[0].removeprefix(".venv/bin/")
    if program == "slipway":
        check_slipway(words[1:])
    elif program == "make":
        check_make(words[1:])
    elif program.startswith("scripts/"):
        assert (ROOT / program).exists()
        name = program.removeprefix("scripts/")
        if name in COMMANDS:
            check_slipway([name, *words[1:]])
    elif program == "app/.venv/bin/trading":
        application = (ROOT / "app/trading/cli/__init__.py").read_text()
        assert f'"{words[1]}": (' in application
    else:
        known = ("git", "cd", "df", "mkdir", "ssh", "sed", "pytest", "kubectl", "$EDITOR")
        assert program in known, f"unknown program in a document: {line}"


@pytest.mark.parametrize(("words", "test"), EXERCISED.items())
def test_the_acceptance_test_named_for_a_command_exists(words: str, test: str) -> None:
    file, _, name = test.partition("::")
    assert f"def {name}(" in (ROOT / file).read_text()


def test_every_page_is_linked_from_another_one() -> None:
    text = {page: page.read_text() for page in PAGES}
    lonely = [
        str(page.relative_to(ROOT))
        for page in PAGES
        if page.name != "README.md"
        and not any(page.name in other for at, other in text.items() if at != page)
    ]
    assert lonely == []


def test_every_link_between_pages_leads_somewhere() -> None:
    broken = [
        f"{page.relative_to(ROOT)}: {link}"
        for page in PAGES
        for link in re.findall(r"\]\((?!https?:)([^)#]+)", page.read_text())
        if not (page.parent / link).exists()
    ]
    assert [one for one in broken if not one.endswith("docs/pictures/console.png")] == []


def test_runbooks_have_the_four_headings() -> None:
    for page in sorted((ROOT / "docs" / "runbooks").glob("*.md")):
        if page.name != "README.md":
            headings = re.findall(r"^## (.+)$", page.read_text(), re.MULTILINE)
            assert headings == ["Meaning", "Impact", "Diagnosis", "Mitigation"], page.name


def test_scripts_for_a_tired_human_are_short() -> None:
    for name in ("rollback", "promote", "freeze", "backup", "restore"):
        assert len((ROOT / "scripts" / name).read_text().splitlines()) <= 40
