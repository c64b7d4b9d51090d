"""The whole stage on real changes with the real tools."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from pipelines.adapters.advisory_snapshot import read_snapshot
from pipelines.model.check import BROKEN, FAILED, PASSED, Finding, StageResult
from pipelines.stages.protocol import Options, Workshop
from pipelines.stages.security import SecurityStage
from tests.support.security_change import LOCK, NOW, Bench, SmallRepository, record, snapshot
from tests.support.strategy_change import git
from tests.unit.security.test_forms_of_secrets import SECRETS

POLICY = "policies/dependencies/policy.yaml"
IGNORE = """title: t
why: w
severity: error
data:
  max_age_days: 180
  warning_locks: []
  allowed_ignores: [{id: CVE-2026-1, reason: never called, until: "2026-07-01"}]
"""


def judged(repository: SmallRepository, workshop: Workshop, **options: bool) -> StageResult:
    stage = SecurityStage()
    change = repository.change(**options)  # type: ignore[arg-type]
    assert stage.touched(change)
    return stage.run(change, workshop)


def errors(result: StageResult) -> list[Finding]:
    return [finding for finding in result.findings if finding.severity == "error"]


def rules(result: StageResult) -> list[str]:
    return [finding.rule for finding in errors(result)]


def with_records(
    bench: Bench, repository: SmallRepository, *records: dict[str, object]
) -> Workshop:
    file = snapshot(bench.folder / "other.tgz", list(records))
    return bench.workshop(repository, options=Options(advisories=file))


def test_a_harmless_change_passes_and_says_what_was_looked_at(
    repository: SmallRepository, bench: Bench
) -> None:
    repository.commit({"pipelines/b.py": "B = 2\n"})
    result = judged(repository, bench.workshop(repository))
    assert (result.status, errors(result)) == (PASSED, [])
    assert result.document["dependencies"]["releases"] == 2
    assert result.document["code"]["files"] == 1
    assert result.document["secrets"]["lines_in_history"] >= 1
    assert set(result.tools) == {"bandit", "detect-secrets"}
    assert "2 releases of packages looked up" in result.summary
    assert "snapshot of 2026-06-20" in result.markdown


def test_twice_the_same_gives_the_same_bytes(repository: SmallRepository, bench: Bench) -> None:
    repository.commit(
        {"pipelines/b.py": f"import os\nos.system(x)\nT = '{SECRETS['github-token']}'\n"}
    )
    first, second = (judged(repository, bench.workshop(repository)) for _ in range(2))
    assert json.dumps(first.document) == json.dumps(second.document)
    assert first.findings == second.findings
    assert first.status == FAILED


# Dependencies


def test_a_hole_in_a_pin_is_red_and_names_lock_line_and_way_out(
    repository: SmallRepository, bench: Bench
) -> None:
    repository.commit({"README.md": "x\n"})
    workshop = with_records(bench, repository, record(aliases=["CVE-2026-1"]))
    found = errors(judged(repository, workshop))
    assert [(f.rule, f.path, f.line) for f in found] == [
        ("advisory/PYSEC-2026-1", "requirements.lock", 1)
    ]
    assert "example 1.2.0 has PYSEC-2026-1, CVE-2026-1" in found[0].message
    assert "1.2.1" in found[0].hint


def test_two_records_of_one_hole_are_told_once(repository: SmallRepository, bench: Bench) -> None:
    repository.commit({"README.md": "x\n"})
    twins = [
        record("PYSEC-2026-1", aliases=["CVE-2026-1"]),
        record("PYSEC-2026-2", aliases=["CVE-2026-1"]),
    ]
    assert len(errors(judged(repository, with_records(bench, repository, *twins)))) == 1


def test_a_record_that_names_no_release_counts(repository: SmallRepository, bench: Bench) -> None:
    repository.commit({"README.md": "x\n"})
    workshop = with_records(bench, repository, record(ranges=[], versions=[]))
    assert rules(judged(repository, workshop)) == ["advisory/PYSEC-2026-1"]


def test_a_hole_may_be_accepted_until_a_day_by_the_branch_that_is_merged_to(
    repository: SmallRepository, bench: Bench
) -> None:
    git(repository.folder, "switch", "--quiet", "develop")
    repository.commit({POLICY: IGNORE})
    git(repository.folder, "switch", "--quiet", "--create", "feature/y")
    repository.commit({"README.md": "x\n"})
    workshop = with_records(bench, repository, record(aliases=["CVE-2026-1"]))
    result = judged(repository, workshop)
    assert result.status == PASSED
    assert any("never called" in f.message and f.severity == "note" for f in result.findings)
    tomorrow = replace(workshop, now=lambda: NOW + timedelta(days=1))
    assert rules(judged(repository, tomorrow)) == ["advisory/PYSEC-2026-1"]


def test_a_lock_of_tools_may_warn_only(repository: SmallRepository, bench: Bench) -> None:
    warns = IGNORE.replace("warning_locks: []", "warning_locks: [requirements-dev.lock]")
    git(repository.folder, "switch", "--quiet", "develop")
    repository.commit(
        {POLICY: warns.replace("CVE-2026-1", "CVE-2000-1"), "requirements-dev.lock": LOCK}
    )
    git(repository.folder, "switch", "--quiet", "--create", "feature/y")
    repository.commit({"requirements.lock": LOCK.replace("example==1.2.0", "example==1.2.1")})
    result = judged(repository, with_records(bench, repository, record()))
    assert result.status == PASSED
    found = [(f.rule, f.severity, f.path) for f in result.findings]
    assert found == [("advisory/PYSEC-2026-1", "warning", "requirements-dev.lock")]


def test_a_change_cannot_accept_its_own_holes(repository: SmallRepository, bench: Bench) -> None:
    repository.commit({POLICY: IGNORE})
    workshop = with_records(bench, repository, record(aliases=["CVE-2026-1"]))
    assert rules(judged(repository, workshop)) == ["advisory/PYSEC-2026-1"]


@pytest.mark.parametrize(
    ("days", "status"), [(180, PASSED), (181, FAILED), (-1, FAILED)], ids=["last day", "old", "future"]
)  # fmt: skip
def test_a_snapshot_has_an_age(
    repository: SmallRepository, bench: Bench, days: int, status: str
) -> None:
    repository.commit({"README.md": "x\n"})
    file = snapshot(bench.folder / "other.tgz", [], modified="2026-06-20")
    modified = read_snapshot(file, []).modified
    assert modified.startswith("2026-06-20")
    now = NOW.replace(month=6, day=20) + timedelta(days=days)
    workshop = bench.workshop(repository, options=Options(advisories=file), now=lambda: now)
    result = judged(repository, workshop)
    assert result.status == status
    assert result.observed["snapshot_age_days"] == days


def test_no_lock_at_all_is_red(repository: SmallRepository, bench: Bench) -> None:
    repository.commit({"requirements.lock": None})
    result = judged(repository, bench.workshop(repository))
    assert rules(result) == ["dependencies/nothing"]


def test_a_policy_that_cannot_be_read_is_red(repository: SmallRepository, bench: Bench) -> None:
    git(repository.folder, "switch", "--quiet", "develop")
    repository.commit({POLICY: IGNORE.replace("max_age_days: 180", "max_age_days: never")})
    git(repository.folder, "switch", "--quiet", "--create", "feature/y")
    repository.commit({"README.md": "x\n"})
    result = judged(repository, bench.workshop(repository))
    assert result.status == BROKEN
    assert "max_age_days" in result.summary


# Code


@pytest.mark.parametrize(
    ("code", "rule"),
    [
        ("import subprocess\nsubprocess.call(x, shell=True)\n", "bandit/B602"),
        ("import flask\nflask.Flask('a').run(debug=True)\n", "bandit/B201"),
        ("import requests\nrequests.get(u)\n", "own/no-time-limit"),
        (
            "import jwt\njwt.decode(t, k, options={'verify_signature': False})\n",
            "own/jwt-verify-off",
        ),
        ("def f(:\n", "code/unreadable"),
        ("x = eval(y)  # nosec\n", "suppression/no-reason"),
    ],
)
def test_bad_code_is_red(repository: SmallRepository, bench: Bench, code: str, rule: str) -> None:
    repository.commit({"app/trading/b.py": code})
    result = judged(repository, bench.workshop(repository))
    assert result.status == FAILED
    assert rule in rules(result)


def test_a_reason_suppresses_and_is_written_down(repository: SmallRepository, bench: Bench) -> None:
    code = "import subprocess\nsubprocess.call(x, shell=True)  # nosec B602 - x is a constant of ours\n"
    repository.commit({"pipelines/b.py": code})
    result = judged(repository, bench.workshop(repository))
    assert result.status == PASSED
    assert result.document["code"]["suppressions"] == [["bandit/B602", "pipelines/b.py", 2]]


@pytest.mark.parametrize(
    "comment",
    [
        "# nosec",
        "# nosec B602",
        "# nosec B602 - ok",
        "# nosec B101 - not this one at all",
        "# noqa: S602",
    ],
)
def test_without_rule_and_reason_nothing_is_suppressed(
    repository: SmallRepository, bench: Bench, comment: str
) -> None:
    repository.commit(
        {"pipelines/b.py": f"import subprocess\nsubprocess.call(x, shell=True)  {comment}\n"}
    )
    assert "bandit/B602" in rules(judged(repository, bench.workshop(repository)))


def test_the_change_cannot_switch_the_scanner_off(
    repository: SmallRepository, bench: Bench
) -> None:
    off = "[bandit]\nskips: B602\nexclude: pipelines\n"
    repository.commit(
        {
            ".bandit": off,
            "pipelines/.bandit": off,
            "pyproject.toml": "[tool.bandit]\nskips = ['B602']\nexclude_dirs = ['pipelines']\n",
            "pipelines/b.py": "import subprocess\nsubprocess.call(x, shell=True)\n",
        }
    )
    assert "bandit/B602" in rules(judged(repository, bench.workshop(repository)))


def test_elsewhere_counts_when_everything_is_judged(
    repository: SmallRepository, bench: Bench
) -> None:
    git(repository.folder, "switch", "--quiet", "develop")
    repository.commit({"pipelines/old.py": "import os\nos.system(x)\n"})
    git(repository.folder, "switch", "--quiet", "--create", "feature/y")
    repository.commit({"README.md": "x\n"})
    assert judged(repository, bench.workshop(repository)).status == PASSED
    result = judged(repository, bench.workshop(repository), everything=True)
    assert "own/shell" in rules(result) or "bandit/B605" in rules(result)


# Secrets


def test_a_secret_in_a_file_is_red_and_never_shown(
    repository: SmallRepository, bench: Bench
) -> None:
    secret = SECRETS["github-token"]
    repository.commit({"docs/a.md": f"x\ntoken {secret}\n"})
    result = judged(repository, bench.workshop(repository))
    assert [(f.rule, f.path, f.line) for f in errors(result)] == [
        ("secret/github-token", "docs/a.md", 2)
    ]
    assert secret not in repr(result)
    assert secret[:4] in errors(result)[0].message


def test_a_secret_that_was_removed_again_is_found(
    repository: SmallRepository, bench: Bench
) -> None:
    commit = repository.commit({"docs/a.md": f"token {SECRETS['github-token']}\n"})
    repository.commit({"docs/a.md": None})
    result = judged(repository, bench.workshop(repository))
    assert rules(result) == ["secret/github-token"]
    assert commit[:12] in errors(result)[0].message


def test_a_secret_in_a_message_or_in_the_request_is_found(
    repository: SmallRepository, bench: Bench
) -> None:
    repository.commit({"a.md": "x\n"}, f"Use {SECRETS['github-token']}")
    change = repository.change(pull_request=f"with {SECRETS['gitlab-token']}")
    result = SecurityStage().run(change, bench.workshop(repository))
    assert sorted(rules(result)) == ["secret/github-token", "secret/gitlab-token"]


def test_detect_secrets_finds_what_has_no_form_of_its_own(
    repository: SmallRepository, bench: Bench
) -> None:
    line = "pass" + 'word = "wq8-Tz61kLp"'
    repository.commit({"app/trading/b.py": f"{line}\n"})
    result = judged(repository, bench.workshop(repository))
    assert rules(result) == ["secret/keyword"]
    assert "wq8-T" not in repr(result)


def test_placeholders_are_no_secrets_whoever_finds_them(
    repository: SmallRepository, bench: Bench
) -> None:
    repository.commit({"docs/a.md": "postgres://user:password@localhost/x\npassword: changeme\n"})
    repository.commit({"docs/b.md": "write postgresql://USER:PASSWORD@HOST/NAME\n"})
    assert judged(repository, bench.workshop(repository)).status == PASSED


def test_the_name_of_a_kubernetes_secret_is_none_but_only_in_its_own_field(
    repository: SmallRepository, bench: Bench
) -> None:
    name = "web-certificate"
    manifest = f'[{{\n  "secretName": "{name}"\n}}]\n'
    repository.commit({"docs/a.json": manifest, "docs/a.yaml": f"- secretName: {name}\n"})
    assert judged(repository, bench.workshop(repository)).status == PASSED
    repository.commit({"docs/b.yaml": f"secretWord: {name}\n"})
    assert rules(judged(repository, bench.workshop(repository))) == ["secret/keyword"]


@pytest.mark.parametrize(
    ("mark", "status"),
    [
        ("not-a-secret: the key of a test", PASSED),
        ("not-a-secret:", FAILED),
        ("pragma: allowlist secret", FAILED),
    ],
)
def test_a_mark_needs_a_reason(
    repository: SmallRepository, bench: Bench, mark: str, status: str
) -> None:
    repository.commit({"docs/a.md": f"token {SECRETS['github-token']} <!-- {mark} -->\n"})
    result = judged(repository, bench.workshop(repository))
    assert result.status == status
    assert len(result.document["secrets"]["allowed"]) == (status == PASSED)


def test_a_reason_given_later_counts_for_the_commit_that_had_none(
    repository: SmallRepository, bench: Bench
) -> None:
    line = f"token {SECRETS['github-token']}"
    repository.commit({"docs/a.md": f"{line}\n"})
    repository.commit({"docs/a.md": f"{line} <!-- not-a-secret: the key of a test -->\n"})
    assert judged(repository, bench.workshop(repository)).status == PASSED


def test_a_change_that_only_deletes_can_pass(repository: SmallRepository, bench: Bench) -> None:
    repository.commit({"pipelines/a.py": None}, "Delete")
    assert judged(repository, bench.workshop(repository)).status == PASSED


def test_what_a_commit_adds_and_the_next_takes_away_touches_the_stage(
    repository: SmallRepository,
) -> None:
    repository.commit({"a.md": "x\n"})
    repository.commit({"a.md": None})
    change = repository.change()
    assert change.files == ()
    assert SecurityStage().touched(change)


def test_the_day_and_the_snapshot_decide_whether_an_answer_is_still_good(
    repository: SmallRepository, bench: Bench
) -> None:
    repository.commit({"a.md": "x\n"})
    change, stage = repository.change(), SecurityStage()
    file = snapshot(bench.folder / "a.tgz", [])
    today = stage.inputs(change, Options(advisories=file, now=lambda: NOW))
    assert today == stage.inputs(change, Options(advisories=file, now=lambda: NOW))
    assert today != stage.inputs(
        change, Options(advisories=file, now=lambda: NOW + timedelta(days=1))
    )
    snapshot(Path(file), [record()])
    assert today != stage.inputs(change, Options(advisories=file, now=lambda: NOW))
