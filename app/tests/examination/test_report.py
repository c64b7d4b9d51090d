"""The page and the summary: self-contained, escaped, the same for the same run."""

import re
from pathlib import Path

import pytest
from subjects import MATERIAL, examined, limits, package

from trading.examination.document import as_json
from trading.examination.examine import Examination
from trading.examination.report import write
from trading.examination.report.markdown import plain, summary
from trading.examination.report.page import page
from trading.values import Values

HOSTILE = "<script>alert(1)</script>|`@everyone`"


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> Examination:
    source = (MATERIAL / "honest" / "breakout.py").read_text()
    folder = tmp_path_factory.mktemp("report")
    head = package(folder / "head", "breakout", source)
    base = package(folder / "base", "breakout", source.replace("[-20:]", "[-10:]"))
    return examined(head, "breakout", ("GOOG", "IBM"), base=base)


def test_the_page_loads_nothing_and_shows_every_check(found: Examination, tmp_path: Path) -> None:
    write(found, tmp_path)
    text = (tmp_path / "report.html").read_text()
    assert not re.search(r"(src|href)=|@import|url\(|<script", text)
    assert text.count("<svg") == 3
    assert text.count("out of sample</text>") == 1
    for check in found.checks:
        assert f">{check.name}</td>" in text
    assert "prefers-color-scheme: dark" in text
    assert (tmp_path / "summary.md").read_text() == summary(found)


def test_base_and_head_stand_side_by_side(found: Examination) -> None:
    document = as_json(found)["document"]
    assert document["base"]["metrics"]["trades"] > document["metrics"]["trades"]
    assert document["base"]["days_that_differ"]
    words = f"on {len(document['base']['days_that_differ'])} of {len(found.days)} days"
    assert words in page(found)
    assert words in summary(found)
    assert "| Sharpe ratio |" in summary(found)


def test_pictures_are_what_mermaid_reads(found: Examination) -> None:
    blocks = re.findall(r"```mermaid\n(.*?)```", summary(found), re.DOTALL)
    assert len(blocks) == 2
    assert all(block.startswith("xychart-beta\n") for block in blocks)
    numbers = [n for block in blocks for n in re.findall(r"line \[(.*?)\]", block)]
    assert len(numbers) == 3  # equity of head and base, drawdown
    assert all(re.fullmatch(r"-?\d+(\.\d+)?", n) for line in numbers for n in line.split(", "))


def test_what_a_strategy_says_is_never_markup(tmp_path: Path) -> None:
    source = (MATERIAL / "bad" / "raises.py.txt").read_text()
    source = source.replace("later = close / (0 if history.now.day == 13 else 1)",
                            f"raise ValueError({HOSTILE!r})\n        later = close")  # fmt: skip
    found = examined(package(tmp_path, "raises", source), "raises")
    assert "alert(1)" in str(found.head.problem)
    assert "<script" not in page(found)
    assert "&lt;script&gt;" in page(found)
    assert "<script" not in summary(found)
    assert "@everyone" not in summary(found)


def test_plain_text_stays_on_its_line() -> None:
    assert plain("a\n| b |\u202e") == "a \\| b \\| "
    assert len(plain("x" * 10_000)) == 300


def test_two_examinations_give_the_same_document_and_page(tmp_path: Path) -> None:
    source = (MATERIAL / "honest" / "gap_fade.py").read_text()
    subject = package(tmp_path, "gap_fade", source)
    first, second = (examined(subject, "gap_fade") for _ in range(2))
    assert as_json(first)["document"] == as_json(second)["document"]
    assert page(first) == page(second)
    assert str(tmp_path) not in str(as_json(first)["document"])


def test_free_trading_and_a_slow_strategy_are_refused(tmp_path: Path) -> None:
    source = (MATERIAL / "honest" / "gap_fade.py").read_text()
    subject = package(tmp_path, "gap_fade", source)
    costs = Values.model_validate({"costs": {"slippage_ratio": 0}}).costs.schedule()
    asked = limits(max_seconds_per_1000_bars=0.000001)
    checks = {c.name: c for c in examined(subject, "gap_fade", asked=asked, costs=costs).checks}
    assert not checks["costs"].ok
    assert "slippage_ratio is zero" in checks["costs"].message
    assert not checks["run time"].ok
    assert "more than 1e-06 CPU seconds" in checks["run time"].message
    zero = {"fee_ratio": 0, "fee_per_share": 0, "minimum_fee": 0, "slippage_ratio": 0}
    free = Values.model_validate({"costs": zero}).costs.schedule()
    checks = {c.name: c for c in examined(subject, "gap_fade", costs=free).checks}
    assert "all zero" in checks["costs"].message
    assert checks["trades"].message == "costs are off"
