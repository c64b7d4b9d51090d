"""Planted damage in the bars is found and named; what is documented is a note."""

import csv
import gzip
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, time
from decimal import Decimal

import pytest

from trading.examination.checks.data import Row, data_check, rows_of
from trading.market_data import calendar, sample
from trading.market_data.replay import Replay

ROWS = rows_of([bars for bars in Replay(["FB"]).days(0, 3270) if bars])


def _changed(index: int, **fields: object) -> list[Row]:
    # Each field has a type of its own; mypy sees one for all values.
    return [replace(r, **fields) if i == index else r for i, r in enumerate(ROWS)]  # type: ignore[arg-type]


DAMAGE: dict[str, tuple[Callable[[], list[Row]], str]] = {
    "gap": (lambda: [*ROWS[:50], *ROWS[51:]], "FB 2012-07-31: no bar on a day the exchange traded"),
    "duplicate": (lambda: [*ROWS[:51], *ROWS[50:]], "FB 2012-07-31: duplicate bar"),
    "order": (lambda: [*ROWS[:50], ROWS[51], ROWS[50], *ROWS[52:]], "comes after 2012-08-01"),
    "holiday": (
        lambda: _changed(50, timestamp=datetime(2012, 12, 25, 21, tzinfo=UTC)),
        "FB 2012-12-25: a bar on a day the exchange was closed",
    ),
    "prices": (lambda: _changed(50, high=Decimal(1)), "FB 2012-07-31: open"),
    "zero": (lambda: _changed(50, low=Decimal(0)), "a price is not above 0"),
    "volume": (lambda: _changed(50, volume=0), "FB 2012-07-31: volume is 0"),
    "stale": (
        lambda: [
            replace(r, open=ROWS[50].close, high=ROWS[50].close, low=ROWS[50].close,
                    close=ROWS[50].close) if 50 < i < 55 else r
            for i, r in enumerate(ROWS)
        ],
        "FB 2012-08-06: the same close for 5 days, a stale price",
    ),
}  # fmt: skip


@pytest.mark.parametrize("kind", sorted(DAMAGE))
def test_damage_is_found_and_named(kind: str) -> None:
    make, words = DAMAGE[kind]
    check = data_check(make())
    assert not check.ok
    assert any(words in detail for detail in check.details), check.details


def test_the_packaged_bars_are_sound_and_their_one_odd_day_is_a_note() -> None:
    replay = Replay()
    check = data_check(rows_of(list(replay.days(0, replay.days_per_lap))))
    assert check.ok
    assert check.samples == sample.BAR_COUNT
    assert [detail.partition(":")[0] for detail in check.details] == ["note"]
    assert "AAPL 2000-09-29: close -51.9%" in check.details[0]


def test_splits_that_nobody_adjusted_are_refused_and_so_is_an_undocumented_jump() -> None:
    lines = list(csv.reader(gzip.decompress(sample.FILE.read_bytes()).decode().splitlines()))[1:]
    raw = [
        Row(
            r[0],
            datetime.combine(date.fromisoformat(r[1]), time(21, tzinfo=UTC)),
            *map(Decimal, r[2:6]),
            int(r[6]),
        )
        for r in lines
        if r[0] == "AAPL"
    ]
    text = "\n".join(data_check(raw).details)
    assert "AAPL 2000-06-21: close" in text
    assert "AAPL 2005-02-28: close -49" in text
    replay = Replay()
    undocumented = data_check(rows_of(list(replay.days(0, replay.days_per_lap))), known={})
    assert not undocumented.ok
    assert "like an unadjusted 2:1 split" in undocumented.message


def test_no_bars_prove_nothing() -> None:
    assert not data_check([]).ok


def test_the_calendar_has_exactly_the_days_of_thirteen_years_of_prices() -> None:
    days = sample.load().days
    assert calendar.sessions(days[0], days[-1]) == list(days)
    assert calendar.closings()[date(2001, 9, 11)].startswith("attacks")
    assert not calendar.is_session(date(2024, 3, 29))  # Good Friday
    assert not calendar.is_session(date(2022, 6, 20))  # Juneteenth, kept on Monday
    assert calendar.is_session(date(2021, 12, 31))  # New Year on a Saturday is not kept
