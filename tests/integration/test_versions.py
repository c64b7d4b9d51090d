"""Cutting and landing versions on a real origin: branches, tags, changelog, and the digest kept."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from pipelines.adapters.git_origin_setup import init_origin
from pipelines.adapters.git_source import GitSource
from pipelines.adapters.release_store import LocalReleaseStore
from pipelines.flows.cutting import CutPlan, cut, existing, plan_cut
from pipelines.flows.landing import land, landed, try_landing
from pipelines.flows.source_ports import CutRecord
from pipelines.model.errors import InProgress, NeedsPerson, Refused
from tests.support.tiny_application import TinyApplication, git


@dataclass(frozen=True)
class Built:
    """What cutting needs to know of a release."""

    id: str
    source_commit: str


class Place:
    def __init__(self, folder: Path) -> None:
        self.app = TinyApplication(folder / "checkout")
        self.app.git("checkout", "--quiet", "-B", "main")
        init_origin(folder / "state", self.app.folder)
        self.bare = folder / "state" / "origin.git"
        self.source = GitSource(self.bare)
        self.number = 0

    def merged(self, branch: str, path: str, text: str, *, onto: str = "develop") -> Built:
        """A branch with one commit, merged as `slipway merge` does it; the release of the merge."""
        tip = git(self.bare, "rev-parse", onto)
        self.app.git("fetch", "--quiet", str(self.bare), tip)
        self.app.git("checkout", "--quiet", "-B", branch, tip)
        self.app.write(path, text)
        head = self.app.commit(f"Change {path}")
        git(self.bare, "fetch", "--quiet", str(self.app.folder), head)
        if onto != "develop":
            git(self.bare, "update-ref", f"refs/heads/{branch}", head)
            return self.built(head)
        commit = self.source.merge(
            tip, head, f"Merge {branch} into develop", {"By": "Ada"}, author="Ada"
        )
        git(self.bare, "update-ref", "refs/heads/develop", commit, tip)
        return self.built(commit)

    def built(self, commit: str) -> Built:
        self.number += 1
        return Built(f"r-{self.number:016x}", commit)

    def plan(self, release: Built, *, hotfixes: bool = False) -> CutPlan:
        plan = plan_cut(self.source, release, (), hotfixes=hotfixes)  # type: ignore[arg-type]
        assert plan is not None
        return plan

    def cut(self, release: Built, *, hotfixes: bool = False) -> CutRecord:
        return cut(
            self.source, self.plan(release, hotfixes=hotfixes), actor="Ada", day="2026-03-02"
        )

    def land(self, record: CutRecord) -> None:
        land(self.source, record, actor="Ada", reason="less drawdown")


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_release_branch_adds_the_changelog_and_nothing_else(place: Place) -> None:
    release = place.merged("feature/quant-strategy-breakout", "app/tiny/x.py", "x = 1\n")
    record = place.cut(release)
    assert (record.version, record.branch) == ("0.1.0", "release/v0.1.0")
    assert git(place.bare, "rev-parse", "release/v0.1.0^") == release.source_commit
    changed = git(place.bare, "diff", "--name-only", release.source_commit, record.commit)
    assert changed == "CHANGELOG.md"
    text = place.source.text(record.commit, "CHANGELOG.md")
    assert text is not None
    assert "- Change app/tiny/x.py (feature/quant-strategy-breakout, " in text
    assert place.source.trees(record.commit) == place.source.trees(release.source_commit)


def test_a_release_is_cut_once(place: Place) -> None:
    release = place.merged("feature/x", "app/tiny/x.py", "x = 1\n")
    record = place.cut(release)
    assert plan_cut(place.source, release, (), hotfixes=True) is None  # type: ignore[arg-type]
    assert existing(place.source, release) == record  # type: ignore[arg-type]


def test_two_cuts_at_once_give_one_branch(place: Place) -> None:
    plan = place.plan(place.merged("feature/x", "app/tiny/x.py", "x = 1\n"))
    cut(place.source, plan, actor="Ada", day="2026-03-02")
    with pytest.raises(InProgress, match="moved meanwhile"):
        cut(place.source, plan, actor="Grace", day="2026-03-03")


def test_landing_merges_tags_and_merges_back_in_one_step(place: Place) -> None:
    record = place.cut(place.merged("feature/x", "app/tiny/x.py", "x = 1\n"))
    assert not landed(place.source, record)
    place.land(record)
    assert landed(place.source, record)
    main = git(place.bare, "rev-parse", "main")
    assert git(place.bare, "rev-parse", "v0.1.0^{commit}") == main
    assert git(place.bare, "cat-file", "-t", "v0.1.0") == "tag"
    assert "less drawdown" in git(
        place.bare, "for-each-ref", "--format=%(contents)", "refs/tags/v0.1.0"
    )
    assert record.commit in git(place.bare, "rev-list", "main").split()
    assert main in git(place.bare, "rev-list", "develop").split()
    assert place.source.trees(main) == place.source.trees(record.base)
    place.land(record)
    assert git(place.bare, "rev-parse", "main") == main, "landing twice is landing once"


def test_settings_are_a_patch_code_is_a_minor_version(place: Place) -> None:
    place.land(place.cut(place.merged("feature/x", "app/tiny/x.py", "x = 1\n")))
    settings = place.merged("feature/speed", "environments/base/values.yaml", "tiny:\n  speed: 3\n")
    assert str(place.plan(settings).version) == "0.1.1"
    code = place.merged("feature/y", "app/tiny/y.py", "y = 1\n")
    assert str(place.plan(code).version) == "0.2.0"


def test_a_number_that_was_cut_is_never_given_to_another_release(place: Place) -> None:
    place.cut(place.merged("feature/x", "app/tiny/x.py", "x = 1\n"))
    second = place.cut(place.merged("feature/y", "app/tiny/y.py", "y = 1\n"))
    assert second.version != "0.1.0"
    assert {c.version for c in place.source.cuts()} == {"0.1.0", second.version}


def test_a_hotfix_goes_to_main_and_back(place: Place) -> None:
    place.land(place.cut(place.merged("feature/x", "app/tiny/x.py", "x = 1\n")))
    place.merged("feature/y", "app/tiny/y.py", "y = 1\n")  # develop goes on meanwhile
    hotfix = place.merged("hotfix/fee", "app/tiny/x.py", "x = 2\n", onto="main")
    assert plan_cut(place.source, hotfix, (), hotfixes=False) is None  # type: ignore[arg-type]
    record = place.cut(hotfix, hotfixes=True)
    assert (record.version, record.branch) == ("0.1.1", "hotfix/fee")
    place.land(record)
    assert git(place.bare, "show", "main:app/tiny/x.py") == "x = 2"
    assert git(place.bare, "show", "develop:app/tiny/x.py") == "x = 2"
    assert git(place.bare, "show", "develop:app/tiny/y.py") == "y = 1"
    assert git(place.bare, "rev-parse", "hotfix/fee") == hotfix.source_commit, "its author's branch"


def test_a_release_without_a_hotfix_that_main_has_is_refused(place: Place) -> None:
    release = place.merged("feature/x", "app/tiny/x.py", "x = 1\n")
    record = place.cut(release)
    place.land(
        place.cut(
            place.merged("hotfix/fee", "app/tiny/fee.py", "f = 2\n", onto="main"), hotfixes=True
        )
    )
    before = git(place.bare, "rev-parse", "main")
    with pytest.raises(Refused, match=r"main holds changes that version 0\.1\.0 lacks"):
        try_landing(place.source, record)
    with pytest.raises(Refused, match=r"lacks"):
        place.land(record)
    assert git(place.bare, "rev-parse", "main") == before


def test_a_conflict_on_the_way_back_moves_nothing(place: Place) -> None:
    hotfix = place.merged("hotfix/fee", "app/tiny/__main__.py", "print('hot')\n", onto="main")
    place.merged("feature/x", "app/tiny/__main__.py", "print('new')\n")
    record = place.cut(hotfix, hotfixes=True)
    before = git(place.bare, "for-each-ref", "refs/heads/main", "refs/heads/develop", "refs/tags")
    with pytest.raises(NeedsPerson, match=r"conflict in app/tiny/__main__\.py"):
        place.land(record)
    assert (
        git(place.bare, "for-each-ref", "refs/heads/main", "refs/heads/develop", "refs/tags")
        == before
    )


def test_a_commit_that_leads_nowhere_gets_no_version(place: Place) -> None:
    place.app.write("app/tiny/x.py", "x = 1\n")
    unmerged = place.built(place.app.commit("Only here"))
    assert plan_cut(place.source, unmerged, (), hotfixes=True) is None  # type: ignore[arg-type]
    on_main = place.built(git(place.bare, "rev-parse", "main"))
    assert plan_cut(place.source, on_main, (), hotfixes=True) is None  # type: ignore[arg-type]


def test_a_release_that_was_cut_is_called_by_its_version_and_found_by_number_too(
    tmp_path: Path,
) -> None:
    app = TinyApplication(tmp_path / "checkout")
    store = LocalReleaseStore(tmp_path / "state")
    first = store.build(app.folder)
    app.write("app/tiny/__main__.py", "print('two')\n")
    app.commit("Second")
    second = store.build(app.folder)
    store.give_alias(first, "0.1.0")
    assert [r.version for r in store.all()] == ["0.1.0", "2"]
    assert store.get("0.1.0").id == store.get("v0.1.0").id == store.get("1").id == first.id
    assert store.get(first.id).version == "0.1.0"
    newest = store.newest()
    assert newest is not None
    assert newest.id == second.id
    app.write("app/tiny/__main__.py", "print('three')\n")
    app.commit("Third")
    assert store.build(app.folder).version == "3"
    assert store.get(first.id).version == "0.1.0", "a later build keeps the alias"
