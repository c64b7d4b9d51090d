"""Reports keep their shape and size, and text of a change cannot speak as ours."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipelines.cli.check_table import MOST_FINDINGS, lines
from pipelines.model.check import (
    BROKEN,
    FAILED,
    PASSED,
    UNTOUCHED,
    Attachment,
    Finding,
    Report,
    StageResult,
)
from pipelines.stages.report_json import report_document, report_from
from pipelines.stages.report_markdown import MARK, MOST_CHARACTERS, Links, report_markdown
from pipelines.stages.report_sarif import report_sarif
from pipelines.stages.report_text import escaped, plain

EVIL = "</details><script>x</script> [a](http://evil) @everyone #12 `|\n# Head\x1b[31m\u202e"
FINDINGS = (
    Finding("ruff/E501", "too long", path="app/a b.py", line=3, hint="make it shorter"),
    Finding("symilar/duplicate", "alike", severity="note", path="app/a b.py", line=9),
    Finding("branch_names", "no such kind of branch"),
)


def _report(*stages: StageResult) -> Report:
    return Report("feature/x", "develop", "c" * 40, "b" * 40, "d" * 64, stages, ("a note",), 12.3)


FULL = _report(
    StageResult("policy", FAILED, "1 error", (FINDINGS[2],), samples=4, seconds=0.1),
    StageResult(
        "quality", FAILED, "2 problems", FINDINGS[:2], samples=9, seconds=8.0,
        tools={"ruff": "0.17.5", "mypy": "2.4.1"}, markdown="| a |\n|---|\n| b |",
        attachments=(Attachment("x.html", Path("/tmp/x.html")),),
    ),
    StageResult("migrations", UNTOUCHED, "nothing for it"),
    StageResult("render", BROKEN, "no tool", samples=0),
)  # fmt: skip


def test_a_report_comes_back_from_its_json() -> None:
    text = json.dumps(report_document(FULL))
    assert report_from(json.loads(text)) == FULL


def test_a_file_whose_name_is_no_utf8_can_be_reported() -> None:
    name = b"app/\xff.py".decode("utf-8", "surrogateescape")
    result = StageResult("quality", FAILED, name, (Finding("a/b", name, path=name),), samples=1)
    safe = report_from(report_document(_report(result)))
    for text in (json.dumps(report_document(safe), ensure_ascii=False), report_markdown(safe)):
        assert b"app/" in text.encode("utf-8")


@pytest.mark.parametrize("document", [{}, {"schema": 9}, {"schema": 1}, {"schema": 1, "stages": 3}])
def test_what_is_no_report_is_refused(document: dict[str, object]) -> None:
    with pytest.raises(ValueError, match=r"schema|not a report"):
        report_from(document)


def test_the_markdown_shows_verdict_stages_findings_and_sections_in_this_order() -> None:
    text = report_markdown(FULL)
    assert text.startswith(MARK)
    wanted = ["## ❌ Not yet: policy, quality, render", "| ❌ | policy | 1 error | 4 | 0.1 s |",
              "| ⚪ | migrations |", "- a note", "The change as a whole", "app/a b.py", "too long",
              "→ make it shorter", "<summary>❌ quality</summary>"]  # fmt: skip
    places = [text.find(words) for words in wanted]
    assert -1 not in places
    assert places == sorted(places)


def test_a_file_with_errors_is_open_and_one_with_notes_is_closed() -> None:
    report = _report(
        StageResult("quality", FAILED, "", (
            Finding("a/b", "bad", path="x.py"), Finding("a/c", "hm", severity="note", path="y.py"),
        )),
    )  # fmt: skip
    text = report_markdown(report)
    assert "<details open><summary><code>x.py</code>: 1 error" in text
    assert "<details><summary><code>y.py</code>: 1 note" in text


def test_findings_link_to_their_line_where_the_place_is_known() -> None:
    text = report_markdown(FULL, Links("https://host/o/r/blob"))
    assert f'<a href="https://host/o/r/blob/{"c" * 40}/app/a%20b.py#L3">' in text
    assert "<a " not in report_markdown(FULL)


def test_text_of_a_change_is_shown_and_never_obeyed() -> None:
    finding = Finding(EVIL, EVIL, path=EVIL, line=1, hint=EVIL)
    report = _report(StageResult("policy", FAILED, EVIL, (finding,), samples=1))
    text = report_markdown(report)
    assert "<script" not in text
    assert "[a](" not in text
    assert "@everyone" not in text
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert "\n# Head" not in text
    assert text.count("</details>") == text.count("<details")
    table = "\n".join(lines(report, 80))
    assert "\u202e" not in table
    assert "\x1b[31m\u202e" not in table


def test_a_huge_report_fits_and_says_what_was_left_out() -> None:
    findings = tuple(
        Finding("a/b", "words " * 200, path=f"app/file-{n}.py", line=n) for n in range(500)
    )
    section = StageResult("quality", FAILED, "many", findings, markdown="x" * 59_000)
    text = report_markdown(_report(section))
    assert len(text) <= MOST_CHARACTERS
    assert "of this report did not fit here" in text
    assert "| ❌ | quality | many |" in text


@settings(max_examples=60, deadline=None)
@given(st.lists(st.builds(
    Finding, st.text(max_size=30), st.text(max_size=3000),
    st.sampled_from(["error", "warning", "note"]), st.text(max_size=60), st.integers(0, 10**6),
    st.text(max_size=200),
), max_size=80))  # fmt: skip
def test_no_finding_makes_a_report_too_long_or_unbalanced(findings: list[Finding]) -> None:
    report = _report(StageResult("quality", FAILED, "x", tuple(findings), samples=1))
    text = report_markdown(report)
    assert len(text) <= MOST_CHARACTERS
    assert text.count("<details") == text.count("</details>")
    json.dumps(report_sarif(report))
    assert list(lines(report, 80))


def test_sarif_has_one_run_for_each_tool_with_its_rules() -> None:
    document = report_sarif(FULL)
    assert document["version"] == "2.1.0"
    runs = {(r["automationDetails"]["id"]): r for r in document["runs"]}
    assert set(runs) == {
        *("slipway/policy/slipway/", "slipway/quality/slipway/", "slipway/quality/ruff/"),
        *("slipway/quality/mypy/", "slipway/quality/symilar/", "slipway/render/slipway/"),
    }
    ruff = runs["slipway/quality/ruff/"]
    assert ruff["tool"]["driver"]["version"] == "0.17.5"
    (result,) = ruff["results"]
    assert (result["ruleId"], result["level"]) == ("ruff/E501", "error")
    assert ruff["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == "ruff/E501"
    place = result["locations"][0]["physicalLocation"]
    assert place["artifactLocation"]["uri"] == "app/a%20b.py"
    assert place["region"] == {"startLine": 3}
    assert runs["slipway/quality/mypy/"]["results"] == []
    assert not runs["slipway/render/slipway/"]["invocations"][0]["executionSuccessful"]


def test_a_result_without_a_place_has_no_location_and_line_zero_no_region() -> None:
    report = _report(StageResult("policy", FAILED, "", (
        Finding("a", "x"), Finding("a", "y", path="p"),
    )))  # fmt: skip
    first, second = report_sarif(report)["runs"][0]["results"]
    assert "locations" not in first
    assert "region" not in second["locations"][0]["physicalLocation"]


def test_the_table_fits_eighty_columns() -> None:
    report = _report(
        StageResult("quality", FAILED, "words " * 60, FINDINGS, samples=1, seconds=99.9)
    )
    assert max(len(line) for line in _uncoloured(report)) <= 80


def test_a_table_of_many_findings_is_cut_with_words() -> None:
    findings = tuple(Finding("a/b", f"number {n}") for n in range(100))
    text = "\n".join(_uncoloured(_report(StageResult("quality", FAILED, "", findings))))
    assert f"… and {100 - MOST_FINDINGS} more" in text


def test_errors_come_before_warnings_in_the_table() -> None:
    findings = (Finding("a/b", "small", severity="note"), Finding("a/b", "large"))
    text = "\n".join(_uncoloured(_report(StageResult("quality", FAILED, "", findings))))
    assert text.index("large") < text.index("small")


def test_plain_text_is_one_line_of_at_most_its_limit() -> None:
    assert plain("a\n b\tc") == "a b c"
    assert plain("abcdef", 4) == "abc…"
    assert escaped("a_b __init__ *x*") == "a_b &#95;_init_&#95; &#42;x&#42;"


def test_the_words_of_every_status_are_told_apart() -> None:
    texts = {
        status: "\n".join(_uncoloured(_report(StageResult("render", status, "w", samples=1))))
        for status in (PASSED, FAILED, BROKEN, UNTOUCHED)
    }
    assert "✓ render" in texts[PASSED]
    assert "✗ render" in texts[FAILED]
    assert "broken: w" in texts[BROKEN]
    assert "untouched: w" in texts[UNTOUCHED]


def _uncoloured(report: Report) -> list[str]:
    import click

    return [part for line in lines(report, 80) for part in click.unstyle(line).splitlines() or [""]]
