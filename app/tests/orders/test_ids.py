"""The id of an order is the same whoever computes it, today and from what was stored."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trading.orders.ids import client_order_id
from trading.strategies.instance import whole_shares

DAY = datetime(2013, 5, 6, 21, tzinfo=UTC)


def _id(target: Decimal) -> str:
    return client_order_id("pairs", "AAPL", DAY, target)


@pytest.mark.parametrize(
    ("target", "digest"),
    [("0", "25c8d1c9"), ("100", "a463bf35"), ("1E+2", "a463bf35"), ("100.0", "a463bf35"),
     ("-50", "5d556387"), ("0.50", "e3d0c40f"), ("123456", "be8503fc"), ("-7E+30", "48005a01")],
)  # fmt: skip
def test_an_id_never_changes_from_release_to_release(target: str, digest: str) -> None:
    assert _id(Decimal(target)) == f"pairs-AAPL-20130506-{digest}"


def test_a_short_target_too_small_for_one_share_is_the_target_zero() -> None:
    target = whole_shares(Decimal(-50), Decimal(100))
    assert str(target) == "-0"
    assert _id(target) == _id(Decimal("-0.00")) == _id(Decimal(0))


targets = st.decimals(-(10**9), 10**9, allow_nan=False, places=6) | st.just(Decimal("-0"))


@settings(suppress_health_check=list(HealthCheck))
@given(target=targets)
def test_a_target_that_was_stored_gives_the_id_it_had_before(
    connection: psycopg.Connection, target: Decimal
) -> None:
    row = connection.execute("select %s::numeric", [str(target)]).fetchone()
    assert row is not None
    assert _id(row[0]) == _id(target)
