"""Names of the grammar pass, every other is refused with a name that passes."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies import rooms

DATA = rooms.packaged_data("branch_names")
PREFIXES = DATA["prefixes"]
WORD = st.text("abcdefghijklmnopqrstuvwxyz0123456789", min_size=1, max_size=8)
REST = st.lists(WORD, min_size=1, max_size=6).map("-".join)
NAMES = st.builds(lambda p, r: p + r, st.sampled_from(PREFIXES), REST)
NUMBER = st.integers(0, 9999)
VERSIONS = st.builds("release/v{}.{}.{}".format, NUMBER, NUMBER, NUMBER)


def refusal(name: str) -> str:
    found = rooms.judge("branch_names", {"name": name}, DATA)
    return found[0].message if found else ""


def git_takes(name: str) -> bool:
    argv = ["git", "check-ref-format", "--branch", name]
    return subprocess.run(argv, capture_output=True, check=False).returncode == 0


def proposed(name: str) -> str:
    return rooms.judge("branch_names", {"name": name}, DATA)[0].hint.removeprefix("call it ")


@given(NAMES | VERSIONS)
def test_names_of_the_grammar_pass(name: str) -> None:
    assert refusal(name) == ""


@settings(max_examples=20, deadline=None)
@given(NAMES | VERSIONS)
def test_git_takes_what_passes(name: str) -> None:
    assert git_takes(name)


@given(NAMES | VERSIONS, st.data())
def test_a_strange_character_anywhere_is_refused(name: str, data: st.DataObject) -> None:
    at = data.draw(st.integers(0, len(name)))
    strange = data.draw(
        st.sampled_from("A_ \t\n~^:?*[\\@{}\u200f\u202e\u0661\uff11\u0430é💥'\"$;&|<>")
        | st.characters(min_codepoint=128, exclude_categories=("Cs",))
    )
    assert refusal(name[:at] + strange + name[at:])


@given(st.text(max_size=300))
def test_any_text_gets_an_answer_and_a_name_that_passes(name: str) -> None:
    if refusal(name) and not name.startswith("env/"):
        assert refusal(proposed(name)) == "", name


@given(NAMES | VERSIONS, st.sampled_from(["--", "-", "..", "/", ".", ".lock", "@{u}", " ", "-x "]))
def test_a_mutated_name_is_refused_with_a_name_that_passes(name: str, what: str) -> None:
    for mutated in (name + what, what + name):
        assert refusal(mutated)
        assert refusal(proposed(mutated)) == ""


@given(NUMBER, NUMBER, NUMBER, st.integers(0, 2))
def test_a_leading_zero_in_a_version_is_refused(a: int, b: int, c: int, which: int) -> None:
    numbers = [str(a), str(b), str(c)]
    numbers[which] = "0" + numbers[which]
    assert "leading zero" in refusal("release/v" + ".".join(numbers))


@pytest.mark.parametrize("length", [100, 101])
def test_a_hundred_characters_are_the_most(length: int) -> None:
    name = "feature/" + "a" * (length - len("feature/"))
    assert bool(refusal(name)) == (length > 100)


def test_a_name_of_a_megabyte_is_refused_at_once() -> None:
    assert "1000000 characters" in refusal("a" * 1_000_000)


@pytest.mark.parametrize(
    "name", ["feature/a..b", "feature/a.lock", "feature/a b", "-x", "feature/"]
)
def test_what_git_refuses_is_refused(name: str) -> None:
    assert not git_takes(name)
    assert refusal(name)


def test_only_slipway_may_use_the_branches_of_environments() -> None:
    for name in DATA["machine"]:
        assert "only Slipway writes it" in refusal(name)
        assert rooms.judge("branch_names", {"name": name, "identity": "slipway"}, DATA) == []
