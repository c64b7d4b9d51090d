"""What the guard demands on a real origin with the shipped policies: each way to lack it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import yaml

from pipelines.adapters.git_source import GitSource
from pipelines.adapters.signing import FileKeys
from pipelines.flows.cutting import plan_cut
from pipelines.flows.versions import require_namer
from pipelines.model.errors import Refused, Unavailable
from pipelines.model.evidence import CHECK, CHECK_RUNNER
from pipelines.model.release import ENVIRONMENTS
from pipelines.records.envelope import open_envelope, seal
from tests.support.earning import GATES, NOW, Asking
from tests.support.tiny_application import git


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Asking:
    return Asking(tmp_path_factory.mktemp("template"))


@pytest.fixture
def asking(tmp_path: Path, template: Asking) -> Asking:
    return Asking(tmp_path, template)


def test_a_release_that_earned_everything_passes_everywhere(asking: Asking) -> None:
    asking.earn_everything()
    assert {name: asking.why(name) for name in ENVIRONMENTS} == {name: [] for name in ENVIRONMENTS}


def test_dev_takes_any_build(asking: Asking) -> None:
    asking.app.write("app/tiny/__main__.py", "print('never pushed')\n")
    commit = asking.app.commit("Never pushed")
    stranger = asking.release_of(commit, "r-00000000000000bb")
    assert asking.why("dev", release=stranger) == []
    assert "its commit is on no branch" in asking.why("staging", release=stranger)[0]


def test_without_evidence_every_demand_is_named_with_what_to_type(asking: Asking) -> None:
    said = asking.why()
    for words in (*(f"no check of stage {gate}" for gate in GATES), "no soak in staging"):
        assert any(words in line for line in said), (words, said)
    assert any("0 of 1 approvals" in line for line in said)
    assert all("slipway " in line for line in said)


@pytest.mark.parametrize("gate", GATES)
@pytest.mark.parametrize("status", ["failed", "broken"])
def test_a_gate_that_went_red_afterwards_counts(asking: Asking, gate: str, status: str) -> None:
    asking.earn_everything()
    asking.check(gate, status)
    [said] = asking.why()
    assert f"check of stage {gate} says '{status}'" in said


def test_a_gate_that_went_green_again_counts(asking: Asking) -> None:
    asking.check("security", "failed")
    asking.earn_everything()
    assert asking.why() == []


def test_a_check_that_is_too_old_is_asked_again(asking: Asking) -> None:
    asking.earn_everything()
    asking.now = NOW + timedelta(hours=721)
    said = asking.why("staging")
    assert len(said) == 5
    assert all("at most 720 h are allowed" in line for line in said)


def test_a_check_of_another_source_is_not_evidence(asking: Asking) -> None:
    for gate in GATES:
        asking.check(gate, source="ee" * 32)
    assert len(asking.why("staging")) == 5


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"environment": "dev"}, "no soak in staging"),
        ({"soak_seconds": 3.0}, "it soaked 3.0 s in staging, 30 s are asked"),
        ({"confirmed_at": ""}, "was never confirmed"),
        ({"release": "r-00000000000000cc"}, "soak in staging is about"),
        ({"shadow": {"ok": False, "samples": 60}}, "was not equal"),
        ({"shadow": {"ok": True, "samples": 0}}, "compared nothing"),
    ],
)
def test_a_soak_that_proves_nothing(asking: Asking, changed: dict[str, object], words: str) -> None:
    for gate in GATES:
        asking.check(gate)
    asking.approve()
    asking.soak(**changed)
    assert any(words in line for line in asking.why())


def test_pending_migrations_must_have_been_rehearsed_on_a_backup(asking: Asking) -> None:
    asking.earn_everything()
    [said] = asking.why(pending=("m2",))
    assert "migrations m2" in said
    assert "not rehearsed on a backup" in said


def test_no_version_is_begun_by_somebody_who_cannot_say_it(asking: Asking) -> None:
    asking.app.write("app/tiny/__main__.py", "print('new')\n")
    commit = asking.app.commit("Print something new")
    origin = asking.state / "origin.git"
    git(origin, "fetch", "--quiet", str(asking.app.folder), commit)
    git(origin, "update-ref", "refs/heads/develop", commit)
    release = asking.release_of(commit, "r-00000000000000bb")
    plan = plan_cut(GitSource(origin), release, (), hotfixes=False)
    assert plan is not None
    here = asking.context("staging")
    require_namer(replace(here, actor="ada"), release, plan)
    with pytest.raises(Refused, match="grace has no key") as refused:
        require_namer(replace(here, actor="grace"), release, plan)
    assert "slipway up" in refused.value.hint
    # dev gives no version, and so needs nobody's word
    require_namer(replace(asking.context("dev"), actor="grace"), release, None)


# --- forgeries ------------------------------------------------------------------------------------


def _rewrite_first(asking: Asking, sign: Callable[[bytes], tuple[str, bytes]]) -> None:
    path = asking.state / "evidence" / asking.source / "000001.json"
    statement, *_ = open_envelope(path.read_bytes())
    path.write_bytes(seal(statement, sign))


def _by_another_role(asking: Asking) -> None:
    _rewrite_first(asking, lambda message: FileKeys(asking.state).sign("person", "ada", message))


def _by_another_installation(asking: Asking) -> None:
    other = FileKeys(asking.state / "other")
    other.enrol("ada", ENVIRONMENTS)
    _rewrite_first(asking, lambda message: other.sign(CHECK_RUNNER, CHECK_RUNNER, message))


def _edited(asking: Asking) -> None:
    path = asking.state / "evidence" / asking.source / "000002.json"
    path.write_bytes(path.read_bytes().replace(b"a", b"b", 1))


def _deleted(asking: Asking) -> None:
    (asking.state / "evidence" / asking.source / "000008.json").unlink()


def _untrusted(asking: Asking) -> None:
    (asking.state / "keys" / "trusted.json").unlink()


def _readable_by_all(asking: Asking) -> None:
    (asking.state / "keys").chmod(0o755)


@pytest.mark.parametrize(
    "forge",
    [_by_another_role, _by_another_installation, _edited, _deleted, _untrusted, _readable_by_all],
)
def test_evidence_that_cannot_be_believed_is_refused_where_it_is_needed(
    asking: Asking, forge: Callable[[Asking], None]
) -> None:
    asking.earn_everything()
    forge(asking)
    for environment in ("staging", "production"):
        said = asking.why(environment)
        assert said
        assert all("may not be believed" in line for line in said)
        assert f"slipway evidence verify {asking.release.id}" in said[0]
    assert asking.why("dev") == []


def test_a_ledger_put_back_whole_is_contradicted_by_the_audit(asking: Asking) -> None:
    """Folder and heads of yesterday fit together; what an environment wrote down since does not."""
    asking.earn_everything()
    evidence = asking.ledger()
    count, digest = evidence.head(asking.source)
    asking.context("staging").records.audit.append(
        actor="slipway",
        action="evidence",
        result="said",
        details={"source": asking.source, "count": count, "digest": digest},
    )
    assert asking.why() == []
    asking.forget_evidence()
    for path in asking.state.glob("evidence-heads.sqlite*"):
        path.unlink()
    asking.said_at += timedelta(seconds=1)
    asking.earn_everything()
    [said] = asking.why()
    assert "the audit of staging (entry 1) names statement 8" in said


# --- rules ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    ["", "[", "title: x", "title: x\nwhy: y\nseverity: error\ndata: {environments: {}}\n"],
)
def test_a_broken_policy_is_a_refusal_and_no_rollback_asks_it(asking: Asking, text: str) -> None:
    asking.earn_everything()
    asking.policy("promotion", text)
    asking.move_main("Break the policy")
    said = asking.why("dev")
    assert said
    assert "cannot be judged" in said[0]
    _ran(asking, "production")
    assert asking.why("production", kind="rollback") == []


def test_a_policy_that_was_deleted_is_a_refusal(asking: Asking) -> None:
    asking.earn_everything()
    (asking.app.folder / "policies/promotion/policy.yaml").unlink()
    asking.move_main("Delete the policy")
    assert "policies/promotion/policy.yaml is missing on main" in asking.why("staging")[0]


def test_a_repository_without_policies_has_those_of_the_engine(asking: Asking) -> None:
    asking.app.git("rm", "-r", "--quiet", "policies")
    asking.move_main("Leave the rules to the engine")
    assert len(asking.why("staging")) == 5
    asking.earn_everything()
    assert asking.why("staging") == []


def test_the_rules_of_a_branch_that_is_not_main_count_for_nothing(asking: Asking) -> None:
    text = (asking.app.folder / "policies/promotion/policy.yaml").read_text()
    document = yaml.safe_load(text)
    document["data"]["environments"]["staging"]["demands"] = []
    asking.app.git("switch", "--quiet", "-c", "feature/platform-x")
    asking.policy("promotion", yaml.safe_dump(document))
    commit = asking.app.commit("Demand nothing")
    bare = asking.state / "origin.git"
    git(bare, "fetch", "--quiet", str(asking.app.folder), "HEAD")
    git(bare, "update-ref", "refs/heads/feature/platform-x", commit)
    assert len(asking.why("staging")) == 5


def test_an_origin_that_is_away_is_asked_again_and_never_a_yes(asking: Asking) -> None:
    asking.earn_everything()
    (asking.state / "origin.git").rename(asking.state / "gone.git")
    with pytest.raises(Unavailable):
        asking.why("staging")
    _ran(asking, "staging")
    assert asking.why("staging", kind="rollback") == []


def test_a_freeze_window_refuses_promotions_and_no_rollback(asking: Asking) -> None:
    text = (asking.app.folder / "policies/freeze_windows/policy.yaml").read_text()
    asking.policy("freeze_windows", text.replace("enabled: false", "enabled: true"))
    asking.move_main("Keep the market's hours free")
    asking.earn_everything()
    asking.now = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
    [said] = asking.why("production")
    assert "production is frozen from open-30m to close+15m" in said
    assert asking.why("staging") == []
    _ran(asking, "production")
    assert asking.why("production", kind="rollback") == []


def _ran(asking: Asking, environment: str) -> None:
    """The release was active there before."""
    from tests.unit.records.operations import operation

    records = asking.context(environment).records
    token = records.lock.acquire("test", "test", lease_seconds=60)
    records.journal.open(operation("promotion-1", token=token, release=asking.release.id))
    records.journal.close("promotion-1", token, "succeeded", "")
    records.lock.release(token)


# --- what a commit says of itself -----------------------------------------------------------------


@pytest.mark.parametrize("kind", ["bootstrap", "rollback", "hold", "unhold", "sync"])
def test_a_commit_that_calls_itself_something_else_is_asked_like_a_promotion(
    asking: Asking, kind: str
) -> None:
    assert len(asking.why("staging", kind=kind)) == 5


def test_the_first_release_of_an_environment_needs_no_evidence(asking: Asking) -> None:
    assert asking.why("production", kind="bootstrap", first=True) == []


# --- branches -------------------------------------------------------------------------------------


def test_what_was_squashed_onto_develop_is_the_same_source(asking: Asking) -> None:
    asking.app.git("switch", "--quiet", "-c", "feature/quant-x")
    asking.app.write("app/tiny/__main__.py", "print('two')\n")
    commit = asking.app.commit("Two")
    release = asking.release_of(commit, "r-00000000000000dd")
    assert "its commit is on no branch" in asking.why("staging", release=release)[0]
    asking.app.git("switch", "--quiet", "main")
    asking.app.git("merge", "--quiet", "--squash", "feature/quant-x")
    asking.app.write("CHANGELOG.md", "two\n")
    asking.move_main("Two, squashed")
    said = asking.why("staging", release=release)
    assert len(said) == 5
    assert not any("on no branch" in line for line in said)


def test_a_statement_names_who_may_not_have_said_it(asking: Asking) -> None:
    """Guards the tests above: the ledger itself lets no person speak for the runner."""
    from pipelines.model.errors import BadInput

    with pytest.raises(BadInput, match="person may not say"):
        asking.ledger().say(CHECK, asking.source, {}, role="person", signer="ada")
