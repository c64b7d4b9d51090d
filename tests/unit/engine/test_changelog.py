"""The changelog says what was merged, once, whoever wrote the words."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from pipelines.engine.changelog import HEADER, section, section_of, with_section
from pipelines.model.check import CommitFact


def commit(subject: str, body: str = "", author: str = "Ada") -> CommitFact:
    return CommitFact("0123456789abcdef", author, subject, body)


def test_merges_are_grouped_by_what_the_branch_was_for() -> None:
    text = section(
        "1.4.0",
        "2026-03-02",
        [
            commit("Merge feature/quant-strategy-breakout into develop", "Add a breakout\n\nMore."),
            commit("Merge hotfix/wrong-fee into main", "Charge the right fee"),
            commit("Merge feature/faster-console into develop"),
            commit("Tidy up"),
        ],
    )
    assert text.splitlines() == [
        "## 1.4.0 — 2026-03-02",
        "",
        "### Strategies",
        "",
        "- Add a breakout (feature/quant-strategy-breakout, 01234567, Ada)",
        "",
        "### Fixes",
        "",
        "- Charge the right fee (hotfix/wrong-fee, 01234567, Ada)",
        "",
        "### Features",
        "",
        "- Merge feature/faster-console into develop (feature/faster-console, 01234567, Ada)",
        "",
        "### Other changes",
        "",
        "- Tidy up (01234567, Ada)",
    ]


def test_back_merges_and_changelogs_are_no_news() -> None:
    text = section(
        "1.0.0",
        "2026-03-02",
        [
            commit("Merge main into develop"),
            commit("Merge release/v0.9.0 into main"),
            commit("Write the changelog of 0.9.0", author="Slipway"),
        ],
    )
    assert "Settings and documents only." in text
    assert "Merge" not in text


def test_sections_come_newest_first_and_only_once() -> None:
    first = with_section(None, "1.0.0", section("1.0.0", "2026-01-01", [commit("One")]))
    second = with_section(first, "1.1.0", section("1.1.0", "2026-02-01", [commit("Two")]))
    assert second.startswith(HEADER)
    assert second.index("## 1.1.0") < second.index("## 1.0.0")
    assert with_section(second, "1.1.0", section("1.1.0", "2026-02-02", [])) == second
    assert "Two" in section_of(second, "1.1.0")
    assert "One" not in section_of(second, "1.1.0")
    assert section_of(second, "9.9.9") == ""


@given(words=st.text(max_size=300), author=st.text(max_size=50))
def test_no_words_of_a_commit_become_markup_or_a_section(words: str, author: str) -> None:
    text = section("1.0.0", "2026-01-01", [commit(words, author=author)])
    headings = [line for line in text.splitlines() if line.startswith("#")]
    assert headings == ["## 1.0.0 — 2026-01-01", "### Other changes"]
    assert r"\<script\>x" in section("1.0.0", "2026-01-01", [commit("<script>x</script>")])
