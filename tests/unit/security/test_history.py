"""Every line that a commit of the change added is seen, whatever it looks like."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.adapters.history import GitHistory
from tests.support.security_change import BRANCH, SmallRepository
from tests.support.strategy_change import git


def added(repository: SmallRepository) -> list[tuple[str, int, str]]:
    change = repository.change()
    return [(a.path, a.line, a.text) for a in GitHistory(repository.changes.git)(change)]


def test_a_line_that_was_added_and_taken_away_again_is_there(repository: SmallRepository) -> None:
    first = repository.commit({"a.txt": "one\ntwo\n"})
    repository.commit({"a.txt": None})
    found = GitHistory(repository.changes.git)(repository.change())
    assert [(a.commit, a.path, a.line, a.text) for a in found] == [
        (first, "a.txt", 1, "one"),
        (first, "a.txt", 2, "two"),
    ]


def test_lines_of_the_target_are_not_the_change_s(repository: SmallRepository) -> None:
    repository.commit({"a.txt": "mine\n"})
    git(repository.folder, "switch", "--quiet", "develop")
    repository.commit({"b.txt": "theirs\n"})
    git(repository.folder, "switch", "--quiet", BRANCH)
    git(repository.folder, "merge", "--quiet", "--no-edit", "develop")
    assert added(repository) == [("a.txt", 1, "mine")]


def test_what_only_the_merge_itself_adds_is_seen(repository: SmallRepository) -> None:
    repository.commit({"a.txt": "mine\n"})
    git(repository.folder, "switch", "--quiet", "develop")
    repository.commit({"a.txt": "theirs\n"})
    git(repository.folder, "switch", "--quiet", BRANCH)
    git(repository.folder, "merge", "--quiet", "--no-edit", "--strategy=ours", "develop")
    (repository.folder / "a.txt").write_text("neither\n")
    git(repository.folder, "commit", "--quiet", "--all", "--amend", "--no-edit")
    assert ("a.txt", 1, "neither") in added(repository)


def test_an_attribute_cannot_make_a_file_unseen(repository: SmallRepository) -> None:
    repository.commit({".gitattributes": "*.txt binary -diff\n", "a.txt": "here\n"})
    assert ("a.txt", 1, "here") in added(repository)


def test_settings_of_the_checkout_do_not_change_what_is_seen(repository: SmallRepository) -> None:
    for key, value in (
        ("diff.noprefix", "true"),
        ("diff.interHunkContext", "9"),
        ("log.showSignature", "true"),
    ):
        git(repository.folder, "config", key, value)
    repository.commit({"a.txt": "".join(f"{n}\n" for n in range(9))})
    repository.commit({"a.txt": "".join(f"{n}{'x' * (n % 3 == 0)}\n" for n in range(9))})
    assert [a for a in added(repository) if a[2].endswith("x")] == [
        ("a.txt", 1, "0x"),
        ("a.txt", 4, "3x"),
        ("a.txt", 7, "6x"),
    ]


def test_odd_names_of_files_come_out_whole(repository: SmallRepository) -> None:
    names = ["with space.txt", 'quote".txt', "tab\t.txt", "ümläut.txt", "b"]
    repository.commit({name: "x\n" for name in names})
    assert {path for path, _, _ in added(repository)} == set(names)


def test_a_change_without_commits_adds_nothing(repository: SmallRepository) -> None:
    assert added(repository) == []


odd = st.sampled_from(
    [
        "+++ b/other.txt",
        "--- a/x",
        "@@ -1 +1 @@",
        "commit " + "0" * 40,
        "diff --git a/x b/x",
        "\\ No newline",
        "",
    ]
)
lines = st.lists(
    odd | st.text(st.characters(exclude_characters="\n\r\0", codec="utf-8"), max_size=8), max_size=8
)


@settings(max_examples=25, deadline=None)
@given(versions=st.lists(st.tuples(lines, st.booleans()), min_size=1, max_size=3))
def test_lines_that_look_like_a_patch_stay_lines(versions: list[tuple[list[str], bool]]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        repository = SmallRepository(Path(folder))
        expected: set[str] = set()
        before: list[str] = []
        for content, newline in versions:
            text = "\n".join(content) + "\n" * newline
            repository.commit({"a.txt": text})
            now = text.split("\n")[:-1] if text.endswith("\n") else text.split("\n") if text else []
            expected |= {line for line in now if line not in before}
            before = now
        found = added(repository)
        assert {path for path, _, _ in found} <= {"a.txt"}
        assert expected <= {text for _, _, text in found}
        assert {text for _, _, text in found} <= {line for c, _ in versions for line in [*c, ""]}
