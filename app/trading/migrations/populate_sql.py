"""The statements that make rows up, in their order; each is a function of the row's number `n`."""

from __future__ import annotations

INSTRUMENTS = """
insert into trading.instruments (symbol, name, last_price, last_bar_timestamp)
select symbol, symbol || ' (made up)', 100 + 20 * place, %(until)s
from unnest(%(symbols)s::text[]) with ordinality as s(symbol, place)
on conflict (symbol) do update set
  last_price = coalesce(trading.instruments.last_price, excluded.last_price)
"""

PARTITIONS = """
select trading.ensure_bar_partition(month) from generate_series(
  date_trunc('month', %(since)s::timestamptz at time zone 'UTC') at time zone 'UTC',
  %(until)s::timestamptz, interval '1 month') as month
"""

BARS = """
insert into trading.bars (symbol, timestamp, open, high, low, close, volume)
select symbol, at, price, price + 0.75, price - 0.75, price + 0.25, 1000 + n %% 9000
from generate_series(0, %(bars)s::bigint - 1) as n
cross join lateral (select
  (%(symbols)s::text[])[1 + n %% %(symbol_count)s] as symbol,
  %(until)s::timestamptz - interval '1 day' * (n / %(symbol_count)s / %(bars_a_day)s)
    - interval '1 minute' * (n / %(symbol_count)s %% %(bars_a_day)s) as at,
  round((120 + 20 * sin(n / 500.0))::numeric, 2) as price) as bar
on conflict do nothing
"""

# Bought and sold in turn: strategies end nearly flat. n counts from the oldest.
ORDERS = """
insert into trading.orders (client_order_id, source, strategy, symbol, side, quantity, type,
  limit_price, reference_price, bar_timestamp, content_hash, state, filled_quantity,
  filled_notional, venue_order_id, reason, release, timeline, epoch, created_at, sent_at,
  updated_at)
select 'rehearsal-' || lpad(n::text, 9, '0'), 'strategy', strategy, symbol, side, quantity,
  case when n %% 4 = 0 then 'limit' else 'market' end, case when n %% 4 = 0 then price end, price,
  date_trunc('minute', at), md5('rehearsal-' || n), state,
  case when state = 'FILLED' then quantity else 0 end,
  case when state = 'FILLED' then quantity * price else 0 end,
  case when state <> 'REJECTED' then 'v-' || n end,
  case state when 'CANCELED' then 'cancelled by its owner' when 'REJECTED' then 'refused'
    else '' end,
  'r-rehearsal', 1, 1 + n / 50000, at, at + interval '20 ms', at + interval '60 ms'
from generate_series(0, %(orders)s::bigint - 1) as n
cross join lateral (select
  (%(strategies)s::text[])[1 + n %% %(strategy_count)s] as strategy,
  (%(symbols)s::text[])[1 + n / 2 %% %(symbol_count)s] as symbol,
  case when n %% 2 = 0 then 'buy' else 'sell' end as side,
  (1 + n / 2 %% 100)::numeric as quantity,
  round((120 + 20 * sin(n / 500.0))::numeric, 2) as price,
  case when n %% 10 = 8 then 'CANCELED' when n %% 20 = 9 then 'REJECTED' when n %% 20 = 19
    then 'CANCELED' else 'FILLED' end as state,
  %(until)s::timestamptz - interval '7 seconds' * (%(orders)s::bigint - n) as at) as made
"""

FILLS = """
insert into trading.fills (fill_id, venue_sequence, client_order_id, strategy, symbol, side,
  quantity, price, fee, bar_timestamp, recorded_at)
select 'f-' || client_order_id, coalesce((select max(venue_sequence) from trading.fills), 0)
    + row_number() over (order by client_order_id), client_order_id, strategy, symbol, side,
  quantity, reference_price, 1 + round(quantity * 0.005, 4), bar_timestamp, updated_at
from trading.orders where state = 'FILLED' and client_order_id like 'rehearsal-%%'
"""

EVENTS = """
insert into trading.order_events (client_order_id, from_state, to_state, timeline, epoch, at)
select client_order_id, step.before, case step.place when 4 then state else step.after end,
  timeline, epoch, created_at + step.place * interval '15 ms'
from (select * from trading.orders where client_order_id like 'rehearsal-%%'
  order by client_order_id desc limit %(orders_with_events)s) as newest
cross join (values (1, null, 'NEW'), (2, 'NEW', 'SENT'), (3, 'SENT', 'ACKED'), (4, 'ACKED', ''))
  as step(place, before, after)
"""

# The profit of everything that was bought and sold again, at average prices.
POSITIONS = """
insert into trading.positions as p (strategy, symbol, quantity, average_price, realized_profit,
  fees)
select strategy, symbol, bought - sold, round(case when bought > sold then paid / bought
    when sold > bought then earned / sold else 0 end, 6),
  round(least(bought, sold) * (coalesce(earned / nullif(sold, 0), 0)
    - coalesce(paid / nullif(bought, 0), 0)), 6), fees
from (select strategy, symbol, sum(fee) as fees,
    coalesce(sum(quantity) filter (where side = 'buy'), 0) as bought,
    coalesce(sum(quantity) filter (where side = 'sell'), 0) as sold,
    coalesce(sum(quantity * price) filter (where side = 'buy'), 0) as paid,
    coalesce(sum(quantity * price) filter (where side = 'sell'), 0) as earned
  from trading.fills group by strategy, symbol) as summed
on conflict (strategy, symbol) do update set quantity = excluded.quantity,
  average_price = excluded.average_price, realized_profit = excluded.realized_profit,
  fees = excluded.fees
"""

SIGNALS = """
insert into trading.signals (strategy, symbol, bar_timestamp, target_quantity, reason, release,
  epoch)
select strategy, symbol, bar_timestamp, max(quantity), 'made up', 'r-rehearsal', max(epoch)
from (select * from trading.orders where client_order_id like 'rehearsal-%%'
  order by client_order_id desc limit 2000) as newest
group by strategy, symbol, bar_timestamp on conflict do nothing
"""

EQUITY = """
insert into trading.equity (bar_timestamp, realized_profit, unrealized_profit, fees, equity)
select %(until)s::timestamptz - interval '1 day' * day, profit, 0, fees, 500000 + profit - fees
from generate_series(0, 499) as day
cross join (select coalesce(sum(realized_profit), 0) as profit, coalesce(sum(fees), 0) as fees
  from trading.positions) as account
on conflict do nothing
"""

STEPS = (
    INSTRUMENTS, PARTITIONS, BARS, ORDERS, FILLS, EVENTS, POSITIONS, SIGNALS, EQUITY,
)  # fmt: skip
"""Run one after the other with the same named values."""
