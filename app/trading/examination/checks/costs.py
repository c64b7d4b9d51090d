"""Are the costs on? A backtest without them says nothing about trading."""

from __future__ import annotations

from trading.examination.verdict import Verdict
from trading.venues.costs import Costs

NAME = "costs"


def costs_check(costs: Costs) -> Verdict:
    if costs.free:
        return Verdict(NAME, False, "fees and slippage are all zero; set `costs` in values.yaml", 1)
    if not costs.slippage_ratio:
        words = "slippage_ratio is zero: no market order fills at the price it saw"
        return Verdict(NAME, False, words, 1)
    fees = f"{costs.fee_ratio} of the notional, {costs.fee_per_share} a share"
    words = f"slippage {costs.slippage_ratio}, fees {fees}, at least {costs.minimum_fee} a fill"
    return Verdict(NAME, True, words, 1)
