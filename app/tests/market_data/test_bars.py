"""A bar that exists can be trusted."""

from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal

import pytest

from trading.errors import BarInvalid
from trading.market_data.bars import Bar

AT = datetime(2020, 1, 6, 21, tzinfo=UTC)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        pytest.param({"high": Decimal(9)}, "inside low..high", id="high below open"),
        pytest.param({"low": Decimal(11)}, "inside low..high", id="low above open"),
        pytest.param({"close": Decimal("NaN")}, "finite", id="not a number"),
        pytest.param({"low": Decimal(0)}, "positive", id="zero price"),
        pytest.param({"volume": -1}, "volume", id="negative volume"),
        pytest.param({"timestamp": AT.replace(tzinfo=None)}, "UTC", id="no time zone"),
        pytest.param(
            {"timestamp": AT.astimezone(timezone(timedelta(hours=1)))}, "UTC", id="another zone"
        ),
    ],
)
def test_a_bar_that_contradicts_itself_cannot_be_made(
    change: dict[str, object], words: str
) -> None:
    good: dict[str, object] = {
        "symbol": "TEST",
        "timestamp": AT,
        "open": Decimal(10),
        "high": Decimal(12),
        "low": Decimal(9),
        "close": Decimal(11),
        "volume": 5,
    }
    Bar(**good)
    with pytest.raises(BarInvalid, match=words):
        Bar(**{**good, **change})
