"""`slipway policy`: the rules on a checkout, and single names."""

from __future__ import annotations

import json
import re
import subprocess
import time
from pathlib import Path

import pytest

from pipelines.adapters.branch_start import starts_from
from pipelines.adapters.git_command import Git
from pipelines.cli.commands import run
from policies import rooms

ROOT = Path(__file__).resolve().parents[3]
FILES = {"app/slipway.yaml": "name: trading\n", ".github/CODEOWNERS": "* @maintainers\n"}


def git(folder: Path, *words: str) -> str:
    identity = ["-c", "user.name=Ada", "-c", "user.email=ada@example.com"]
    done = subprocess.run(
        ["git", *identity, *words], cwd=folder, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def commit(folder: Path, files: dict[str, str], subject: str = "Change") -> str:
    for path, text in files.items():
        (folder / path).parent.mkdir(parents=True, exist_ok=True)
        (folder / path).write_text(text)
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--allow-empty", "-m", subject)
    return git(folder, "rev-parse", "HEAD")


@pytest.fixture
def checkout(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project on a feature branch with all rooms, beside main and develop."""
    folder = tmp_path / "checkout"
    folder.mkdir()
    git(folder, "init", "--quiet", "--initial-branch=main")
    texts = {
        f"policies/{rule}/{name}": rooms.packaged_text(rule, name)
        for rule in rooms.RULES
        for name in ("policy.yaml", "cases.yaml")
    }
    commit(folder, {**FILES, **texts})
    git(folder, "branch", "develop")
    git(folder, "switch", "--quiet", "-c", "feature/more")
    commit(folder, {"docs/page.md": "more\n"})
    monkeypatch.chdir(folder)
    for name in ("GITHUB_ACTIONS", "GITHUB_HEAD_REF", "GITHUB_REF_NAME", "GITHUB_BASE_REF"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SLIPWAY_STATE", str(tmp_path / "state"))
    return folder


def said(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = run(["policy", *words])
    captured = capsys.readouterr()
    return code, captured.out, captured.err


def test_all_rules_are_judged_within_a_second(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    began = time.monotonic()
    code, out, _ = said(capsys)
    assert time.monotonic() - began < 3.0  # 1 s on an idle machine; this one is shared
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[1:11]] == list(rooms.RULES)
    assert out.count(" ok ") == len(rooms.RULES)


def test_a_bad_name_and_a_weak_policy_are_refused(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    git(checkout, "branch", "-m", "feature/More")
    weak = rooms.packaged_text("reviews", "policy.yaml").replace("main: 2", "main: 1")
    commit(checkout, {"policies/reviews/policy.yaml": weak})
    code, out, _ = said(capsys, "--output", "json")
    assert code == 1
    rules = {rule["rule"]: rule for rule in json.loads(out)["rules"]}
    assert {name for name, rule in rules.items() if not rule["ok"]} == {"branch_names", "reviews"}


def test_single_rules_can_be_asked_for(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "risk", "reviews")
    assert code == 0
    assert [line.split()[0] for line in out.splitlines()[1:3]] == ["reviews", "risk"]


def test_a_rule_explains_itself(checkout: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = said(capsys, "promotion", "--explain")
    assert code == 0
    for words in ("A release earns each environment", "max_age_hours: 720", "- never in staging"):
        assert words in out


def test_an_unknown_rule_is_refused_with_a_guess(
    checkout: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    code, _, err = said(capsys, "promotoin")
    assert code == 2
    assert "did you mean 'promotion'" in err


def test_outside_of_a_checkout_the_rooms_alone_are_judged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    code, out, _ = said(capsys)
    assert code == 0
    assert "only the rules of this engine were judged" in out


@pytest.mark.parametrize("name", ["feature/breakout", "develop", "release/v1.0.0", "hotfix/a-1"])
def test_a_good_name_is_zero(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, "branch", "--", name)[0] == 0


@pytest.mark.parametrize(
    "name",
    [
        *("", "-x", "--force", "--help", "-h", "--output=json", "feature/", "a b", "feature/Big"),
        *("feature/a..b", "feature/\u202eabc", "feature/\u0661", "release/v01.2.3", "env/dev"),
        "f" * 300,
    ],
)
def test_a_bad_name_is_one_with_a_reason_and_a_better_one(
    name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code, out, err = said(capsys, "branch", "--", name)
    assert code == 1
    assert "branch name" in out + err
    assert "call it " in out + err or "a branch of your own: " in out + err


@pytest.mark.parametrize(
    "words", [["branch"], ["branch", "--"], ["branch", "--", "a", "b"], ["-x"]]
)
def test_no_name_is_two(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert said(capsys, *words)[0] == 2


def test_the_document_lists_every_rule_with_its_title() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (.+?) \|", (ROOT / "docs/policies.md").read_text(), re.M)
    titles = {
        rule: rooms.load_policy(rule, rooms.packaged_text(rule, "policy.yaml")).title
        for rule in rooms.RULES
    }
    assert dict(rows) == titles
    assert [rule for rule, _ in rows] == list(rooms.RULES)


class TestWhereABranchStarts:
    """Of main and develop, those it was built upon."""

    @pytest.fixture
    def tips(self, checkout: Path) -> dict[str, str]:
        git(checkout, "switch", "--quiet", "develop")
        commit(checkout, {}, "on develop")
        return {name: git(checkout, "rev-parse", name) for name in ("main", "develop")}

    def starts(self, checkout: Path, tips: dict[str, str]) -> tuple[str, ...]:
        return starts_from(Git(checkout, isolated=True), git(checkout, "rev-parse", "HEAD"), tips)

    @pytest.mark.parametrize(
        ("start", "found"), [("develop", ("develop",)), ("main", ("main", "develop"))]
    )
    @pytest.mark.parametrize("own", [0, 2])
    def test_it_starts_where_it_left(
        self, checkout: Path, tips: dict[str, str], start: str, found: tuple[str, ...], own: int
    ) -> None:
        git(checkout, "switch", "--quiet", "-c", "hotfix/ids", start)
        for _ in range(own):
            commit(checkout, {}, "own")
        assert self.starts(checkout, tips) == found

    def test_who_takes_develop_in_does_not_start_from_main(
        self, checkout: Path, tips: dict[str, str]
    ) -> None:
        git(checkout, "switch", "--quiet", "-c", "hotfix/ids", "main")
        commit(checkout, {}, "own")
        git(checkout, "merge", "--quiet", "--no-edit", "develop")
        assert self.starts(checkout, tips) == ("develop",)

    def test_a_history_that_never_met_starts_nowhere(
        self, checkout: Path, tips: dict[str, str]
    ) -> None:
        git(checkout, "switch", "--quiet", "--orphan", "feature/alone")
        commit(checkout, {"a": "b"}, "alone")
        assert self.starts(checkout, tips) == ()
