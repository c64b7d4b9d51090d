"""What the console's panels show, by panel: the same queries as the API's."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import TYPE_CHECKING, Any

from trading.api import queries
from trading.api.routes.control import risk_of, strategies_of

if TYPE_CHECKING:
    from trading.api.state import State

Facts = dict[str, Any]

_SUMMARY = """
with days as (
  select equity, bar_timestamp, row_number() over (order by bar_timestamp desc) as age
  from (select * from trading.equity order by bar_timestamp desc limit 2) newest
)
select json_build_object(
  'equity', (select equity::text from days where age = 1),
  'day', (select bar_timestamp from days where age = 1),
  'day_profit', ((select equity from days where age = 1)
    - (select equity from days where age = 2))::text,
  'gross', (select sum(abs(quantity * last_price))::text
    from trading.positions join trading.instruments using (symbol)),
  'positions', (select count(*) from trading.positions where quantity <> 0),
  'open_orders', (select count(*) from trading.orders
    where state in ('NEW', 'SENT', 'ACKED', 'PARTIALLY_FILLED', 'UNKNOWN')),
  'trading_slot', (select slot from trading.lease where holder is not null
    and heartbeat_at > clock_timestamp() - interval '5 seconds'),
  'kill', (select to_json(k) from trading.risk_state k))
"""
_NEWEST_ORDERS = {
    "limit": 40,
    "states": None,
    "strategy": "",
    "symbol": "",
    "before": None,
    "before_id": "",
}


async def summary(state: State) -> Facts:
    """The strip on top of the page."""
    facts: Facts = await state.database.fetch(_SUMMARY)
    start = state.values.account.starting_cash
    equity = Decimal(facts["equity"]) if facts["equity"] else start
    return {**facts, "equity": equity, "profit": equity - start}


async def positions(state: State) -> Facts:
    text = await state.database.fetch(queries.POSITIONS, {"all": False})
    found: Facts = json.loads(text)
    return found


async def orders(state: State) -> Facts:
    return {"orders": json.loads(await state.database.fetch(queries.ORDERS, _NEWEST_ORDERS))}


async def strategies(state: State) -> Facts:
    return {"strategies": await strategies_of(state)}


async def risk(state: State) -> Facts:
    facts = await risk_of(state)
    loss, limit = Decimal(facts["daily_loss"]), state.values.risk.max_daily_loss
    used = max(Decimal(0), loss / limit) if limit else Decimal(0)
    return {**facts, "loss_used_percent": min(100, round(used * 100))}


async def slots(state: State) -> Facts:
    """Both slots as the row and its log show them, and the newest switches."""
    facts: Facts = json.loads(await state.database.fetch(queries.SLOTS, {"limit": 12}))
    active = facts["active"]
    cards = {slot: _card(slot, active, facts["log"]) for slot in ("blue", "green")}
    return {**facts, "cards": cards, "here": state.settings.slot}


def _card(slot: str, active: Facts | None, log: list[Facts]) -> Facts:
    """What is known of a slot: the newest line of the log that made it active."""
    is_active = active is not None and active["slot"] == slot
    if is_active:
        return {"active": True, "release": active["release"], "state": active["state"]}  # type: ignore[index]
    release = next((line["release"] for line in log if line["slot"] == slot), None)
    way_back = active is not None and active["previous_slot"] == slot
    return {"active": False, "release": release, "state": "way back" if way_back else "idle"}


PANELS: dict[str, Callable[[State], Awaitable[Facts]]] = {
    "summary": summary,
    "positions": positions,
    "orders": orders,
    "strategies": strategies,
    "risk": risk,
    "slots": slots,
}
