"""The packaged prices are the ones whose origin PROVENANCE.md states."""

import gzip
import hashlib

import pytest

from trading.errors import DatasetDamaged, UnknownSymbol
from trading.market_data import sample


def test_the_file_has_the_stated_digests_and_counts() -> None:
    packed = sample.FILE.read_bytes()
    content = gzip.decompress(packed)
    provenance = sample.FILE.with_name("PROVENANCE.md").read_text()
    assert hashlib.sha256(packed).hexdigest() == sample.SHA256
    assert sample.SHA256 in provenance
    assert hashlib.sha256(content).hexdigest() in provenance
    rows = content.decode().splitlines()[1:]
    assert len(rows) == sample.BAR_COUNT == 12_154
    for symbol, count in {"AAPL": 3270, "IBM": 3270, "MSFT": 3270, "GOOG": 2148, "FB": 196}.items():
        assert sum(row.startswith(symbol + ",") for row in rows) == count
        assert f"{symbol} {count:,}" in provenance


def test_every_row_becomes_a_bar() -> None:
    data = sample.load()
    found = [data.bar(symbol, day) for symbol in data.symbols for day in range(len(data.days))]
    assert sum(bar is not None for bar in found) == sample.BAR_COUNT


def test_the_last_day_has_the_prices_that_were_paid() -> None:
    data = sample.load()
    bar = data.bar("AAPL", len(data.days) - 1)
    assert bar is not None
    assert (str(bar.open), str(bar.close), bar.volume) == ("438.0000", "430.4700", 19_730_300)


def test_a_split_is_no_fall_and_a_real_fall_stays_one() -> None:
    data = sample.load()
    falls = {}
    for number, day in enumerate(data.days[1:], start=1):
        before, after = data.bar("AAPL", number - 1), data.bar("AAPL", number)
        assert before is not None
        assert after is not None
        falls[day.isoformat()] = float(after.close / before.close - 1)
    assert abs(falls["2000-06-21"]) < 0.15  # 2:1 split
    assert abs(falls["2005-02-28"]) < 0.15  # 2:1 split
    assert falls["2000-09-29"] == pytest.approx(-0.519, abs=0.001)  # a warning about earnings


def test_a_changed_file_is_refused() -> None:
    with pytest.raises(DatasetDamaged, match="install again"):
        sample.parse(sample.FILE.read_bytes() + b"x")


def test_an_unknown_symbol_is_named_with_the_known_ones() -> None:
    with pytest.raises(UnknownSymbol, match="AAPL, FB, GOOG, IBM, MSFT"):
        sample.load().bar("NOPE", 0)
