"""What is under judgement is read from git exactly, whatever the history looks like."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pipelines.adapters.change import (
    Changes,
    Wanted,
    branch_of_workflow,
    find_checkout,
    parse_name_status,
    target_of,
)
from pipelines.model.check import ChangedFile
from pipelines.model.errors import BadInput
from tests.support.repository import Repository
from tests.support.strategy_change import git

FEATURE = "feature/quant-strategy-x"


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    made = Repository(
        tmp_path, {"kept.txt": "one\n" * 20, "gone.txt": "x\n", "moved.txt": "y\n" * 9}
    )
    made.branch(FEATURE)
    return made


def test_added_changed_removed_and_moved_files_are_told_apart(repository: Repository) -> None:
    files = {"new.txt": "n\n", "kept.txt": "two\n", "gone.txt": None, "moved.txt": None}
    repository.commit({**files, "inner/moved.txt": "y\n" * 9})
    found = {(f.path, f.status, f.old_path) for f in repository.change().files}
    assert found == {
        ("new.txt", "A", ""),
        ("kept.txt", "M", ""),
        ("gone.txt", "D", ""),
        ("inner/moved.txt", "R", "moved.txt"),
    }


def test_only_what_the_branch_brings_counts_when_its_target_goes_on(repository: Repository) -> None:
    left = git(repository.folder, "rev-parse", "HEAD")
    repository.commit({"mine.txt": "m\n"}, "Mine")
    git(repository.folder, "switch", "--quiet", "develop")
    tip = repository.commit({"theirs.txt": "t\n"}, "Theirs")
    git(repository.folder, "switch", "--quiet", FEATURE)
    change = repository.change()
    assert [f.path for f in change.files] == ["mine.txt"]
    assert [c.subject for c in change.commits] == ["Mine"]
    assert (change.base.commit, change.rules.commit) == (left, tip)
    assert change.rules.text("theirs.txt") == "t\n"
    assert change.base.text("theirs.txt") is None


def test_a_commit_has_author_subject_body_and_parents(repository: Repository) -> None:
    before = git(repository.folder, "rev-parse", "HEAD")
    repository.commit({"a": "a"}, "Say\n\nWhy it is\nso.\n\nKey: value")
    (commit,) = repository.change().commits
    assert (commit.subject, commit.parents) == ("Say", (before,))
    assert commit.body == "Why it is\nso.\n\nKey: value"
    assert commit.author == "Ada <ada@example.org>"


def test_after_criss_cross_merges_the_smallest_difference_is_judged(repository: Repository) -> None:
    folder = repository.folder
    repository.commit({"mine.txt": "m\n"})
    mine = git(folder, "rev-parse", "HEAD")
    git(folder, "switch", "--quiet", "develop")
    repository.commit({"one.txt": "1\n", "two.txt": "2\n"})
    theirs = git(folder, "rev-parse", "HEAD")
    git(folder, "merge", "--quiet", "--no-edit", mine)
    git(folder, "switch", "--quiet", FEATURE)
    git(folder, "merge", "--quiet", "--no-edit", theirs)
    repository.commit({"late.txt": "l\n"})
    change, notes = repository.read()
    assert {f.path for f in change.files} == {"late.txt", "mine.txt"}
    assert "2 possible commits" in notes[0]


def test_a_tree_is_exported_byte_for_byte_whatever_its_attributes_say(
    repository: Repository,
) -> None:
    repository.commit(
        {
            ".gitattributes": "hidden.py export-ignore\n*.sub export-subst\n*.txt eol=crlf\n",
            "hidden.py": "import os\n",
            "a.sub": "$Format:%H$\n",
            "b.txt": "line\n",
        }
    )
    tree = repository.change().head
    assert tree.text("hidden.py") == "import os\n"
    assert tree.text("a.sub") == "$Format:%H$\n"
    assert (tree.folder / "b.txt").read_bytes() == b"line\n"


def test_an_exported_tree_is_read_only_and_knows_its_objects(repository: Repository) -> None:
    repository.commit({"app/run.sh": "#!/bin/sh\n"})
    (repository.folder / "app/run.sh").chmod(0o755)
    repository.commit({})
    tree = repository.change().head
    assert os.stat(tree.folder / "app/run.sh").st_mode & 0o777 == 0o555
    assert os.stat(tree.folder / "README.md").st_mode & 0o777 == 0o444
    assert tree.objects["app"] == git(repository.folder, "rev-parse", "HEAD:app")


def test_who_reads_some_parts_gets_those_and_shares_them_between_commits(
    repository: Repository,
) -> None:
    repository.commit({"policies/a.yaml": "x: 1\n", "policies-not/b.yaml": "y\n", "app/c.py": ""})
    changes = Changes(repository.folder, repository.trees, parts=("policies", "missing"))
    first = changes.read(Wanted())[0]
    assert [p.name for p in first.head.folder.iterdir()] == ["policies"]
    assert first.head.text("policies/a.yaml") == "x: 1\n"
    assert "app/c.py" in {file.path for file in first.files}
    repository.commit({"app/c.py": "c = 1\n"})
    second = changes.read(Wanted())[0]
    assert second.head.folder == first.head.folder
    assert second.head.objects["app"] != first.head.objects["app"]
    repository.commit({"policies/a.yaml": "x: 2\n"})
    assert changes.read(Wanted())[0].head.text("policies/a.yaml") == "x: 2\n"
    assert repository.change().head.text("README.md") == "# Tiny\n"


@pytest.mark.parametrize("kind", ["symbolic link", "submodule"])
def test_a_link_or_a_submodule_is_refused_by_name(repository: Repository, kind: str) -> None:
    folder = repository.folder
    if kind == "symbolic link":
        (folder / "evil").symlink_to("/etc/passwd")
        repository.commit({})
    else:
        head = git(folder, "rev-parse", "HEAD")
        git(folder, "update-index", "--add", "--cacheinfo", f"160000,{head},evil")
        git(folder, "commit", "--quiet", "-m", "Add")
    with pytest.raises(BadInput, match=f"evil: a {kind} is refused"):
        repository.read()


def test_a_link_in_the_base_does_not_stop_the_change_that_removes_it(tmp_path: Path) -> None:
    repository = Repository(tmp_path)
    (repository.folder / "evil").symlink_to("/etc/passwd")
    repository.commit({})
    repository.branch(FEATURE)
    repository.commit({"evil": None})
    change = repository.change()
    assert [(f.path, f.status) for f in change.files] == [("evil", "D")]
    assert not (change.base.folder / "evil").exists()


def test_a_file_that_became_a_link_counts_as_modified_before_it_is_refused() -> None:
    assert parse_name_status("T\0a\0") == (ChangedFile("a", "M"),)


def test_a_binary_file_is_only_one_more_file(repository: Repository) -> None:
    (repository.folder / "picture").write_bytes(bytes(range(256)))
    repository.commit({})
    change = repository.change()
    assert (change.head.folder / "picture").read_bytes() == bytes(range(256))


def test_uncommitted_files_are_said_not_to_be_judged(repository: Repository) -> None:
    repository.commit({"a": "a"})
    (repository.folder / "a").write_text("b")
    (repository.folder / "untracked").write_text("c")
    change, notes = repository.read()
    assert change.head.text("a") == "a"
    assert any("2 uncommitted file(s) are not judged" in note for note in notes)


def test_nothing_changed_is_said(repository: Repository) -> None:
    _, notes = repository.read()
    assert "changes nothing against develop: nothing to judge" in notes[0]


def test_a_detached_head_needs_the_branch_by_name(repository: Repository) -> None:
    repository.commit({"a": "a"})
    git(repository.folder, "checkout", "--quiet", "--detach")
    with pytest.raises(BadInput, match="HEAD is detached") as refused:
        repository.read()
    assert refused.value.hint == "slipway check --branch NAME"
    assert repository.change(Wanted(branch="feature/other")).branch == "feature/other"


def test_a_repository_without_a_commit_and_a_folder_without_repository_are_refused(
    tmp_path: Path,
) -> None:
    with pytest.raises(BadInput, match="is not a git repository"):
        Changes(tmp_path, tmp_path / "trees").read(Wanted())
    git(tmp_path, "init", "--quiet")
    with pytest.raises(BadInput, match="has no commits"):
        Changes(tmp_path, tmp_path / "trees").read(Wanted())


def test_unrelated_histories_are_refused(repository: Repository) -> None:
    git(repository.folder, "switch", "--quiet", "--orphan", "feature/alone")
    repository.commit({"a": "a"})
    with pytest.raises(BadInput, match="have no common commit") as refused:
        repository.read()
    assert "git switch -c NAME develop" in refused.value.hint


def test_an_unknown_target_is_refused_unless_a_base_is_given(repository: Repository) -> None:
    repository.commit({"a": "a"})
    git(repository.folder, "branch", "-D", "develop")
    with pytest.raises(BadInput, match="branch develop, which this change would be merged to"):
        repository.read()
    change = repository.change(Wanted(base="HEAD~1"))
    assert [f.path for f in change.files] == ["a"]
    assert len(change.commits) == 1


@pytest.mark.parametrize("name", ["nope", "-n", "--all", "HEAD~99", ""])
def test_a_name_of_no_commit_is_refused(repository: Repository, name: str) -> None:
    with pytest.raises(BadInput, match="names no commit"):
        repository.read(Wanted(commit=name or " "))


def test_a_shallow_clone_finds_its_base_or_says_how_to_get_it(
    repository: Repository, tmp_path: Path
) -> None:
    for number in range(5):
        repository.commit({"a": str(number)})
    url = f"file://{repository.folder}"
    for depth in (8, 2):
        clone = tmp_path / f"depth-{depth}"
        subprocess.run(
            ["git", "clone", "-q", "--depth", str(depth), "--no-single-branch", url, str(clone)],
            check=True,
        )
        changes = Changes(clone, tmp_path / "shallow")
        if depth == 8:
            assert [f.path for f in changes.read(Wanted())[0].files] == ["a"]
        else:
            with pytest.raises(BadInput, match="within this shallow clone") as refused:
                changes.read(Wanted())
            assert refused.value.hint == "git fetch --unshallow"


def test_the_target_is_the_origin_s_when_there_is_an_installation(
    repository: Repository, tmp_path: Path
) -> None:
    origin = tmp_path / "origin.git"
    git(tmp_path, "clone", "--quiet", "--bare", str(repository.folder), str(origin))
    other = tmp_path / "other"
    git(tmp_path, "clone", "--quiet", "--branch", "develop", str(origin), str(other))
    (other / "rules.txt").write_text("new rules\n")
    git(other, "add", "--all")
    git(other, "commit", "--quiet", "-m", "Go on")
    git(other, "push", "--quiet", "origin", "develop")
    repository.commit({"a": "a"})
    changes = Changes(repository.folder, repository.trees, origin=origin)
    change, _ = changes.read(Wanted())
    assert change.rules.text("rules.txt") == "new rules\n"
    assert [f.path for f in change.files] == ["a"]
    assert not git(repository.folder, "branch", "--list", "--all", "*rules*")


def test_where_a_branch_goes_follows_from_its_name() -> None:
    names = ("feature/x", "hotfix/x", "release/v1.2.3", "develop", "main", "nonsense")
    assert [target_of(name) for name in names] == [
        *("develop", "main", "main", "develop", "main", "develop"),
    ]


def test_a_workflow_names_branch_and_target() -> None:
    variables = {"GITHUB_ACTIONS": "true", "GITHUB_HEAD_REF": "feature/x"}
    assert branch_of_workflow({**variables, "GITHUB_BASE_REF": "main"}) == ("feature/x", "main")
    assert branch_of_workflow({"GITHUB_HEAD_REF": "feature/x"}) == ("", "")


def test_a_checkout_is_one_of_a_project_with_an_application(repository: Repository) -> None:
    assert find_checkout(repository.folder) is None
    repository.commit({"app/slipway.yaml": "name: tiny\n"})
    assert find_checkout(repository.folder / "app") == repository.folder


_NAMES = st.text(
    st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=20
)
_FILES = st.one_of(
    st.builds(ChangedFile, _NAMES, st.sampled_from("AMD")),
    st.builds(lambda new, old: ChangedFile(new, "R", old), _NAMES, _NAMES),
)


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(_FILES))
def test_any_names_of_files_come_through_git_s_listing(files: list[ChangedFile]) -> None:
    words = []
    for file in files:
        names = [file.old_path, file.path] if file.status == "R" else [file.path]
        words += ["R087" if file.status == "R" else file.status, *names]
    assert parse_name_status("".join(f"{word}\0" for word in words)) == tuple(files)
