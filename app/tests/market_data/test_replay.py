"""The replay never ends, never goes back in time and never jumps."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trading.errors import InvalidInput, ReplayExhausted, UnknownSymbol
from trading.market_data import sample
from trading.market_data.replay import Replay

REPLAY = Replay()
LAP = REPLAY.days_per_lap
indexes = st.integers(min_value=0, max_value=50 * LAP)


def test_the_first_lap_is_the_data_as_it_is() -> None:
    days = [REPLAY.day(index) for index in range(LAP)]
    assert sum(map(len, days)) == sample.BAR_COUNT
    assert [bars[0].timestamp.date() for bars in days] == list(sample.load().days)


@given(indexes)
def test_timestamps_grow_and_all_bars_of_a_day_share_one(index: int) -> None:
    assert REPLAY.timestamp(index) < REPLAY.timestamp(index + 1)
    assert {bar.timestamp for bar in REPLAY.day(index)} == {REPLAY.timestamp(index)}


@given(indexes)
def test_every_lap_keeps_the_weekday(index: int) -> None:
    later, first = REPLAY.timestamp(index), REPLAY.timestamp(index % LAP)
    assert later.weekday() == first.weekday()
    assert (later - first).days % 7 == 0


@given(indexes)
def test_every_second_lap_has_the_same_prices(index: int) -> None:
    for now, later in zip(REPLAY.day(index), REPLAY.day(index + 2 * LAP), strict=True):
        assert (now.symbol, now.open, now.close, now.volume) == (
            later.symbol,
            later.open,
            later.close,
            later.volume,
        )


@pytest.mark.parametrize("lap", [1, 2, 3])
def test_a_lap_starts_at_the_prices_where_the_one_before_ended(lap: int) -> None:
    last, first = REPLAY.day(lap * LAP - 1), REPLAY.day(lap * LAP)
    assert {bar.symbol: bar.close for bar in last} == {bar.symbol: bar.open for bar in first}


def test_it_can_replay_some_symbols_only() -> None:
    assert [bar.symbol for bar in Replay(["MSFT", "FB"]).day(LAP - 1)] == ["FB", "MSFT"]
    assert Replay(["FB"]).day(0) == ()
    with pytest.raises(UnknownSymbol):
        Replay(["NOPE"])


def test_days_before_the_first_and_after_the_last_year_are_refused() -> None:
    with pytest.raises(InvalidInput):
        REPLAY.day(-1)
    with pytest.raises(ReplayExhausted, match="reset the replay state"):
        REPLAY.day(10_000 * LAP)


@given(indexes, st.integers(min_value=1, max_value=2 * LAP))
def test_no_days_in_a_row_last_longer_than_the_longest(index: int, count: int) -> None:
    lasts = REPLAY.timestamp(index + count - 1) - REPLAY.timestamp(index)
    assert lasts <= REPLAY.longest(count)


def test_the_longest_week_is_the_one_in_which_the_exchange_was_shut() -> None:
    assert REPLAY.longest(1).days == 0
    assert REPLAY.longest(2).days == 7  # 10 to 17 September 2001
