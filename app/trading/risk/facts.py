"""The one query behind a risk check, and the lock that makes its answer stay true until commit."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from trading.risk.checks import Facts

LOCK = """select set_config('idle_in_transaction_session_timeout', '1000', true),
  pg_advisory_xact_lock(hashtext('trading.risk'))"""
"""First statement of the transaction. Two checks at once would both see room for one order.

A process that stops while it holds the lock loses its connection after a second, not the others
their time.
"""

QUERY = """
select asked.symbol, risk_state.killed, risk_state.reason as kill_reason,
  (select last_price from trading.instruments i where i.symbol = asked.symbol) as last_price,
  (select coalesce(sum(quantity), 0) from trading.positions p where p.symbol = asked.symbol)
    as position,
  working.open_buys, working.open_sells, account.daily_loss, account.orders_last_second
from unnest(%(symbols)s::text[]) as asked(symbol)
cross join trading.risk_state
cross join (
  select coalesce((select equity from trading.equity order by bar_timestamp desc offset 1 limit 1)
      - (select equity from trading.equity order by bar_timestamp desc limit 1), 0) as daily_loss,
    (select count(*) from trading.orders r
      where r.created_at > statement_timestamp() - interval '1 second') as orders_last_second
) as account
cross join lateral (
  select coalesce(sum(quantity - filled_quantity) filter (where side = 'buy'), 0) as open_buys,
    coalesce(sum(quantity - filled_quantity) filter (where side = 'sell'), 0) as open_sells
  from trading.orders w where w.symbol = asked.symbol
    and w.state in ('NEW', 'SENT', 'ACKED', 'PARTIALLY_FILLED', 'UNKNOWN')
) as working
"""
"""A row for each of `symbols`."""


def facts_of(row: Mapping[str, Any]) -> Facts:
    return Facts(
        killed=row["killed"],
        kill_reason=row["kill_reason"],
        last_price=row["last_price"],
        position=Decimal(row["position"]),
        open_buys=Decimal(row["open_buys"]),
        open_sells=Decimal(row["open_sells"]),
        daily_loss=Decimal(row["daily_loss"]),
        orders_last_second=row["orders_last_second"],
    )
