"""The stage on changes of a few files: what a reviewer would refuse, and what holds for the rules."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines.model.check import FAILED, PASSED, Change, StageResult
from pipelines.stages.policy import PolicyStage, judge_change
from pipelines.stages.protocol import Options, Workshop
from policies import rooms
from tests.unit.policies.changes import VALUES, change

STRATEGY = "app/trading/strategies/momentum/__init__.py"


def run(subject: Change, folder: Path) -> StageResult:
    nothing: Any = None
    workshop = Workshop(nothing, nothing, folder, folder, lambda: datetime.now(UTC))
    return PolicyStage().run(subject, workshop)


def errors(subject: Change) -> list[str]:
    return [f.message for f in judge_change(subject).findings if f.severity == "error"]


def notes(subject: Change) -> list[str]:
    return [f.message for f in judge_change(subject).findings if f.severity == "note"]


def policy(rule: str) -> str:
    return rooms.packaged_text(rule, "policy.yaml")


def test_a_plain_feature_passes_and_says_what_was_looked_at(tmp_path: Path) -> None:
    result = run(change(tmp_path, {"docs/page.md": "new\n"}), tmp_path)
    assert (result.status, result.samples) == (PASSED, 4)
    assert result.summary == "4 rules, 1 note"


def test_the_same_change_gives_the_same_document_anywhere(tmp_path: Path) -> None:
    edits = {"policies/risk/policy.yaml": policy("risk").replace("0.35", "0.30")}
    one, other = (run(change(tmp_path / name, edits), tmp_path) for name in ("a", "b"))
    assert one.document == other.document
    assert one.inputs == other.inputs
    assert str(tmp_path) not in repr(one.document)


@pytest.mark.parametrize(
    "others",
    [
        {"branch": "feature/less"},
        {"target": "main"},
        {"pull_request": "## What and why"},
        {"starts_from": ("main",)},
    ],
)
def test_whatever_decides_the_answer_is_among_the_inputs(
    tmp_path: Path, others: dict[str, Any]
) -> None:
    stage = PolicyStage()
    plain = stage.inputs(change(tmp_path / "a", {"docs/page.md": "x"}), Options())
    other = stage.inputs(change(tmp_path / "b", {"docs/page.md": "x"}, **others), Options())
    assert plain != other


def test_a_bad_name_is_refused(tmp_path: Path) -> None:
    assert "upper-case" in errors(change(tmp_path, {}, branch="feature/Big"))[0]


def test_a_feature_does_not_go_to_main(tmp_path: Path) -> None:
    assert "it takes only" in errors(change(tmp_path, {}, target="main"))[0]


def test_a_hotfix_that_carries_develop_along_is_refused(tmp_path: Path) -> None:
    subject = change(tmp_path, {}, branch="hotfix/ids", target="main", starts_from=("develop",))
    assert "must start from main" in errors(subject)[0]


def test_a_text_that_is_there_is_judged(tmp_path: Path) -> None:
    assert any("is missing" in e for e in errors(change(tmp_path, {}, pull_request="hello")))
    assert errors(change(tmp_path / "b", {}, pull_request=" \n"))


def test_a_strategy_branch_that_touches_its_own_passes(tmp_path: Path) -> None:
    edits = {
        STRATEGY: "x = 2\n",
        "app/tests/strategies/momentum/test_it.py": "",
        "environments/base/values.yaml": VALUES.replace("hold: 2", "hold: 3"),
    }
    subject = change(tmp_path, edits, branch="feature/quant-strategy-momentum")
    assert errors(subject) == []
    assert any("@quant-experts must approve" in note for note in notes(subject))


@pytest.mark.parametrize(
    ("path", "text", "words"),
    [
        (
            "environments/base/values.yaml",
            ("window: 20", "window: 21"),
            "of strategy mean_reversion",
        ),
        ("environments/base/values.yaml", ("50000", "90000"), "which is no strategy's"),
        ("environments/base/values.yaml", ("plugin: momentum", "plugin: x"), "momentum and x"),
        ("environments/base/values.yaml", ("swing:", "sway:"), "of strategy mean_reversion"),
    ],
)
def test_a_strategy_branch_that_touches_other_settings_is_refused(
    tmp_path: Path, path: str, text: tuple[str, str], words: str
) -> None:
    edits = {path: VALUES.replace(*text)}
    found = errors(change(tmp_path, edits, branch="feature/quant-strategy-momentum"))
    assert any(words in message for message in found), found


def test_an_environment_changes_a_strategy_by_the_plugin_of_the_base_values(tmp_path: Path) -> None:
    path = "environments/production/values.yaml"
    own = "trading: {risk: {max_daily_loss: 1}, strategies: {trend: {parameters: {hold: 9}}}}\n"
    branch = "feature/strategy-momentum"
    assert errors(change(tmp_path / "a", {path: own}, branch=branch)) == []
    other = own.replace("trend", "swing")
    found = errors(change(tmp_path / "b", {path: other}, branch=branch))
    assert any("of strategy mean_reversion" in message for message in found)


def test_a_wider_branch_that_touches_a_strategy_by_a_setting_names_its_expert(
    tmp_path: Path,
) -> None:
    edits = {"environments/base/values.yaml": VALUES.replace("hold: 2", "hold: 3")}
    subject = change(tmp_path, edits, pull_request=None)
    assert errors(subject) == []
    assert any("strategy momentum is touched" in note for note in notes(subject))


def test_values_that_cannot_be_read_are_a_finding(tmp_path: Path) -> None:
    found = errors(change(tmp_path, {"environments/base/values.yaml": "a: &x 1\nb: *x\n"}))
    assert any("anchors and aliases" in message for message in found)


def test_the_owners_come_from_the_target_not_from_the_change(tmp_path: Path) -> None:
    edits = {STRATEGY: "x = 2\n", ".github/CODEOWNERS": "* @me\n"}
    assert any("@quant-experts" in note for note in notes(change(tmp_path, edits)))


@pytest.mark.parametrize("text", [None, "* nobody at all\n"])
def test_owners_that_are_gone_or_broken_are_refused(tmp_path: Path, text: str | None) -> None:
    assert errors(change(tmp_path, {".github/CODEOWNERS": text}))


class TestAChangeOfTheRules:
    """Judged by the old rules and the new ones."""

    def test_a_stricter_policy_passes_and_says_what_it_changes(self, tmp_path: Path) -> None:
        text = policy("risk").replace("turnover: {most: 30}", "turnover: {most: 20}")
        subject = change(tmp_path, {"policies/risk/policy.yaml": text})
        assert errors(subject) == []
        assert "policies/risk: limits.turnover.most: 30 becomes 20" in notes(subject)

    @pytest.mark.parametrize(
        ("rule", "old", "new", "case"),
        [
            ("promotion", "- scanned  ", "# scanned", "a person says"),
            ("promotion", "seconds: 30", "seconds: 0", "too short a soak"),
            ("promotion", "- approvals: 1", "", "nobody approved"),
            (
                "promotion",
                "check: [check-runner]",
                "check: [check-runner, person]",
                "a person says",
            ),
            ("reviews", "main: 2", "main: 1", "one person for main"),
            ("reviews", "code_owners: true", "code_owners: false", "nobody of the owners"),
            ("branch_flow", "[main, develop, env/*, release/*]  #", "[] #", "a push to main"),
            ("migrations", "- take_away", "#", "a dropped table"),
            ("risk", "max_drawdown: {most: 0.35}", "max_drawdown: {most: 9}", "a deep fall"),
            ("dependencies", "max_age_days: 180", "max_age_days: 999", "an old snapshot"),
            ("branch_names", "- hotfix/", "- hotfix/\n    - fix/", "an unknown prefix"),
            ("pull_request", "Way back, ", "", "a missing heading"),
            ("strategy_isolation", "required: true", "required: false", "no expert approved"),
            (
                "freeze_windows",
                "- {environment: production,",
                "- {environment: dev,",
                "in the session",
            ),
        ],
    )
    def test_a_policy_that_switches_its_own_gate_off_is_refused(
        self, tmp_path: Path, rule: str, old: str, new: str, case: str
    ) -> None:
        text = policy(rule).replace(old, new)
        assert text != policy(rule)
        found = errors(change(tmp_path, {f"policies/{rule}/policy.yaml": text}))
        gone = [m for m in found if f"policies/{rule} no longer refuses its bad case" in m]
        assert any(case in message for message in gone), found

    def test_taking_the_case_out_too_does_not_help(self, tmp_path: Path) -> None:
        edits = {
            "policies/reviews/policy.yaml": policy("reviews").replace("main: 2", "main: 1"),
            "policies/reviews/cases.yaml": "good: [{name: a, facts: {}}]\n"
            "bad: [{name: b, facts: {}, expect: is missing}]\n",
        }
        found = errors(change(tmp_path, edits))
        assert any("no longer refuses its bad case 'one person for main'" in m for m in found)

    def test_a_window_that_was_on_is_not_switched_off(self, tmp_path: Path) -> None:
        on = policy("freeze_windows").replace("enabled: false", "enabled: true")
        rules = change(tmp_path / "on", {"policies/freeze_windows/policy.yaml": on}).head
        off = {"policies/freeze_windows/policy.yaml": policy("freeze_windows")}
        found = errors(change(tmp_path / "off", off, rules=rules))
        assert any("no longer refuses its bad case 'in the session'" in m for m in found)

    def test_a_severity_that_sinks_is_refused(self, tmp_path: Path) -> None:
        text = policy("risk").replace("severity: error", "severity: warning")
        found = errors(change(tmp_path, {"policies/risk/policy.yaml": text}))
        assert "policies/risk: severity sinks from error to warning" in found

    def test_a_room_that_vanishes_is_refused(self, tmp_path: Path) -> None:
        edits = {f"policies/reviews/{name}": None for name in ("policy.yaml", "cases.yaml")}
        assert "room reviews is gone" in errors(change(tmp_path, edits))

    @pytest.mark.parametrize("text", ["", "title: [", "data: {}", "a: &b 1", "\x00", "- 1"])
    def test_a_broken_policy_is_a_finding_and_no_crash(self, tmp_path: Path, text: str) -> None:
        result = run(change(tmp_path, {"policies/risk/policy.yaml": text}), tmp_path)
        assert result.status == FAILED
        assert any("policies/risk/policy.yaml" in f.message for f in result.findings)

    def test_cases_that_are_gone_or_do_not_come_out_are_refused(self, tmp_path: Path) -> None:
        assert errors(change(tmp_path / "a", {"policies/risk/cases.yaml": None}))
        text = rooms.packaged_text("risk", "cases.yaml").replace("max_drawdown: 0.36", "trades: 9")
        found = errors(change(tmp_path / "b", {"policies/risk/cases.yaml": text}))
        assert any("its case 'a deep fall' is refused for another reason" in m for m in found)

    def test_a_case_that_is_taken_out_is_told_to_the_reviewer(self, tmp_path: Path) -> None:
        text = rooms.packaged_text("risk", "cases.yaml")
        less = "\n".join(line for line in text.split("\n") if "name: a deep fall" not in line)
        subject = change(tmp_path, {"policies/risk/cases.yaml": less})
        assert errors(subject) == []
        assert "policies/risk no longer has its bad case 'a deep fall'" in notes(subject)

    def test_a_change_obeys_the_rules_that_it_brings(self, tmp_path: Path) -> None:
        text = policy("branch_names").replace("max_length: 100", "max_length: 11")
        found = errors(change(tmp_path, {"policies/branch_names/policy.yaml": text}))
        assert any(message.startswith("by the new rules: branch name") for message in found)

    def test_a_change_obeys_the_rules_that_it_wants_to_get_rid_of(self, tmp_path: Path) -> None:
        text = policy("branch_names").replace("    - hotfix/", "    - hotfix/\n    - fix/")
        subject = change(tmp_path, {"policies/branch_names/policy.yaml": text}, branch="fix/it")
        assert any("branch name 'fix/it'" in message for message in errors(subject))

    def test_a_room_that_the_engine_does_not_know_is_a_note(self, tmp_path: Path) -> None:
        subject = change(tmp_path, {"policies/tides/policy.yaml": "title: x\n"})
        assert errors(subject) == []
        assert any("room tides is new" in note for note in notes(subject))

    def test_rules_that_are_broken_on_the_target_let_nothing_through(self, tmp_path: Path) -> None:
        rules = change(tmp_path / "a", {"policies/branch_names/policy.yaml": "oops"}).head
        found = errors(change(tmp_path / "b", {"docs/x.md": "x"}, rules=rules))
        assert any("policies/branch_names/policy.yaml" in message for message in found)

    def test_a_target_whose_room_is_missing_lets_nothing_through(self, tmp_path: Path) -> None:
        rules = change(tmp_path / "a", {"policies/branch_flow/policy.yaml": None}).head
        found = errors(change(tmp_path / "b", {"docs/x.md": "x"}, rules=rules))
        assert any("is missing on the branch this goes to" in message for message in found)
