"""Reads whose JSON the database makes itself: no object is built here for a row.

Money and quantities are JSON strings, so that no client rounds them by accident.
"""

from __future__ import annotations

ORDER = """json_build_object('client_order_id', client_order_id, 'source', source,
  'strategy', strategy, 'symbol', symbol, 'side', side, 'type', type, 'state', state,
  'quantity', quantity::text, 'limit_price', limit_price::text, 'stop_price', stop_price::text,
  'filled_quantity', filled_quantity::text,
  'average_price', round(filled_notional / nullif(filled_quantity, 0), 6)::text,
  'cancel_requested', cancel_requested, 'reason', reason, 'release', release,
  'created_at', created_at, 'updated_at', updated_at)"""

ORDERS = f"""
select coalesce(json_agg(item), '[]')::text from (
  select {ORDER} as item from trading.orders
  where (%(strategy)s = '' or strategy = %(strategy)s)
    and (%(symbol)s = '' or symbol = %(symbol)s)
    and (%(states)s::text[] is null or state = any(%(states)s::text[]))
    and (%(before)s::timestamptz is null
      or (created_at, client_order_id) < (%(before)s::timestamptz, %(before_id)s))
  order by created_at desc, client_order_id desc limit %(limit)s
) newest
"""

ONE_ORDER = f"""
select json_build_object('order', {ORDER}, 'events', (
  select coalesce(json_agg(json_build_object('from', from_state, 'to', to_state, 'detail', detail,
    'at', at) order by id), '[]') from trading.order_events e
    where e.client_order_id = o.client_order_id), 'fills', (
  select coalesce(json_agg(json_build_object('fill_id', fill_id, 'quantity', quantity::text,
    'price', price::text, 'fee', fee::text, 'bar_timestamp', bar_timestamp)
    order by venue_sequence), '[]') from trading.fills f
    where f.client_order_id = o.client_order_id))::text
from trading.orders o where client_order_id = %(id)s
"""

POSITIONS = """
select json_build_object('positions', coalesce(json_agg(json_build_object('strategy', strategy,
  'symbol', symbol, 'quantity', quantity::text, 'average_price', round(average_price, 4)::text,
  'last_price', last_price::text,
  'market_value', round(quantity * coalesce(last_price, average_price), 2)::text,
  'unrealized_profit', round((last_price - average_price) * quantity, 2)::text,
  'realized_profit', round(realized_profit, 2)::text, 'fees', round(fees, 2)::text,
  'updated_at', updated_at) order by strategy, symbol), '[]'))::text
from trading.positions left join trading.instruments using (symbol)
where %(all)s or quantity <> 0
"""

EQUITY = """
select json_build_object('points', coalesce(json_agg(json_build_object(
  'bar_timestamp', bar_timestamp, 'equity', round(equity, 2)::text,
  'realized_profit', round(realized_profit, 2)::text,
  'unrealized_profit', round(unrealized_profit, 2)::text, 'fees', round(fees, 2)::text)
  order by bar_timestamp), '[]'))::text
from (select * from trading.equity order by bar_timestamp desc limit %(limit)s) newest
"""

# Partitions are pruned by the lower bound; without it every month of every lap is looked into.
# Fills have no index by symbol: of all symbols together the newest 5000 are looked at.
MARKET = """
with newest as (
  select * from trading.bars where symbol = %(symbol)s
    and timestamp > (select last_bar_timestamp from trading.instruments where symbol = %(symbol)s)
      - make_interval(days => 30 + %(limit)s * 2)
  order by timestamp desc limit %(limit)s
)
select case when exists (select 1 from newest) then json_build_object('symbol', %(symbol)s,
  'bars', (select json_agg(json_build_object('timestamp', timestamp, 'open', open::text,
    'high', high::text, 'low', low::text, 'close', close::text, 'volume', volume)
    order by timestamp) from newest),
  'fills', (select coalesce(json_agg(json_build_object('strategy', f.strategy, 'side', f.side,
    'quantity', f.quantity::text, 'price', f.price::text, 'bar_timestamp', f.bar_timestamp,
    'client_order_id', f.client_order_id) order by f.venue_sequence), '[]')
    from (select * from trading.fills where symbol = %(symbol)s
      and venue_sequence > (select max(venue_sequence) - 5000 from trading.fills)
      and bar_timestamp >= (select min(timestamp) from newest)
      order by venue_sequence desc limit 1000) f))::text end
"""

STRATEGIES = """
select coalesce(json_object_agg(strategy, facts), '{}') from (
  select strategy, json_build_object(
    'positions', (select coalesce(json_object_agg(symbol, quantity::text), '{}')
      from trading.positions p where p.strategy = names.strategy and quantity <> 0),
    'realized_profit', (select round(coalesce(sum(realized_profit), 0), 2)::text
      from trading.positions p where p.strategy = names.strategy),
    'unrealized_profit', (select round(coalesce(sum((last_price - average_price) * quantity), 0),
      2)::text from trading.positions p join trading.instruments using (symbol)
      where p.strategy = names.strategy),
    'fees', (select round(coalesce(sum(fees), 0), 2)::text
      from trading.positions p where p.strategy = names.strategy),
    'last_signal', (select json_build_object('symbol', symbol, 'bar_timestamp', bar_timestamp,
      'target_quantity', target_quantity::text, 'reason', reason) from trading.signals s
      where s.strategy = names.strategy
      order by bar_timestamp desc, strategy, symbol limit 1)) as facts
  from unnest(%(names)s::text[]) as names(strategy)
) of_each
"""

RISK = """
select json_build_object('kill_switch', json_build_object('killed', killed, 'reason', reason,
  'actor', actor, 'changed_at', changed_at),
  'daily_loss', round(coalesce((select equity from trading.equity
    order by bar_timestamp desc offset 1 limit 1) - (select equity from trading.equity
    order by bar_timestamp desc limit 1), 0), 2)::text,
  'open_orders', (select count(*) from trading.orders
    where state in ('NEW', 'SENT', 'ACKED', 'PARTIALLY_FILLED', 'UNKNOWN')))
from trading.risk_state
"""

SLOTS = """
select json_build_object('active', (select to_json(a) from slipway.active a),
  'lease', (select json_build_object('slot', slot, 'held', holder is not null, 'epoch', epoch,
    'timeline', timeline, 'acquired_at', acquired_at, 'heartbeat_at', heartbeat_at)
    from trading.lease),
  'log', (select coalesce(json_agg(to_json(l) order by l.id desc), '[]') from (
    select * from slipway.active_log order by id desc limit %(limit)s) l))::text
"""
