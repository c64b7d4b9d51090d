"""The table of figures: verdicts, percentiles, and the document made of results."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import __main__ as command
from bench import table


def test_a_percentile_is_the_nearest_rank_and_zero_of_nothing() -> None:
    values = [float(n) for n in range(1, 101)]
    assert table.percentile(values, 0.95) == 96.0  # rank 95, counted from 0
    assert table.percentile([], 0.95) == 0.0
    assert table.percentile([7.0], 0.99) == 7.0


@pytest.mark.parametrize(
    ("good", "sign"),
    [
        pytest.param(True, "✓", id="reached"),
        pytest.param(False, "✗", id="missed"),
        pytest.param(None, " |", id="only told"),
    ],
)
def test_a_row_says_whether_its_figure_is_reached(good: bool | None, sign: str) -> None:
    assert sign in table.Row("a", "≤ 1 s", "0.5 s", good).markdown()


def test_the_document_holds_the_rows_of_all_results_in_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table, "RESULTS", tmp_path)
    table.save("second", [table.Row("later", "1", "1", True)], quick=False)
    table.save("first", [table.Row("earlier", "1", "1", True)], quick=False)
    text = table.document(["first", "absent", "second"])
    assert text.index("| earlier |") < text.index("| later |")


def test_every_script_of_the_bench_has_a_run() -> None:
    import importlib

    for name in command.NAMES:
        assert callable(importlib.import_module(f"bench.{name}").run)
