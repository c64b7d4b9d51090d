"""First tables of the trading application."""

from alembic import op

revision = "r0001"
down_revision = None
branch_labels = None
depends_on = None
kind = "expand"

UP = """
create schema if not exists trading;

create table trading.instruments (
  symbol text primary key,
  name text not null default '',
  currency text not null default 'USD',
  last_price numeric,                            -- newest close: values orders and positions
  last_bar_timestamp timestamptz
);

create table trading.bars (
  symbol text not null,
  timestamp timestamptz not null,
  open numeric not null,
  high numeric not null,
  low numeric not null,
  close numeric not null,
  volume bigint not null,
  primary key (symbol, timestamp)
) partition by range (timestamp);

-- Attaching takes a weaker lock than CREATE TABLE ... PARTITION OF: readers are never stopped.
create function trading.ensure_bar_partition(p_at timestamptz) returns text
language plpgsql as $$
declare
  starts timestamptz := date_trunc('month', p_at at time zone 'UTC') at time zone 'UTC';
  ends timestamptz := (date_trunc('month', p_at at time zone 'UTC') + interval '1 month')
    at time zone 'UTC';
  part text := 'bars_' || to_char(p_at at time zone 'UTC', 'YYYYMM');
begin
  if to_regclass('trading.' || part) is not null then
    return part;
  end if;
  perform pg_advisory_xact_lock(hashtext('trading.ensure_bar_partition'));
  if to_regclass('trading.' || part) is not null then
    return part;
  end if;
  execute format('create table trading.%I (like trading.bars including all,
    check (timestamp >= %L and timestamp < %L))', part, starts, ends);
  execute format('alter table trading.bars attach partition trading.%I
    for values from (%L) to (%L)', part, starts, ends);
  return part;
end $$;

create table trading.replay_state (
  only_row boolean primary key default true check (only_row),
  day_index bigint not null default -1,          -- counts on through the loops
  stored_day timestamptz,                        -- bars of this day are in trading.bars
  completed_day timestamptz,                     -- its signals and intents are written too
  updated_at timestamptz not null default clock_timestamp()
);
insert into trading.replay_state default values;

create table trading.releases (
  release text primary key,
  source_commit text not null,
  source_author text not null,
  strategies jsonb not null,                     -- name -> parameters, as traded
  first_seen_at timestamptz not null default clock_timestamp()
);

create table trading.signals (
  strategy text not null,
  symbol text not null,
  bar_timestamp timestamptz not null,
  target_quantity numeric not null,
  reason text not null,
  release text not null,
  epoch bigint not null,
  recorded_at timestamptz not null default clock_timestamp(),
  primary key (bar_timestamp, strategy, symbol)
);

create table trading.orders (
  client_order_id text primary key check (length(client_order_id) between 1 and 255),
  source text not null check (source in ('api', 'strategy')),
  strategy text not null,
  symbol text not null,
  side text not null check (side in ('buy', 'sell')),
  quantity numeric not null check (quantity > 0),
  type text not null check (type in ('market', 'limit', 'stop', 'stop_limit')),
  limit_price numeric,
  stop_price numeric,
  reference_price numeric not null,              -- notional for the risk check
  bar_timestamp timestamptz,
  content_hash text not null,
  state text not null default 'NEW' check (state in ('NEW', 'SENT', 'ACKED', 'PARTIALLY_FILLED',
    'FILLED', 'CANCELED', 'REJECTED', 'UNKNOWN')),
  filled_quantity numeric not null default 0 check (filled_quantity <= quantity),
  filled_notional numeric not null default 0,
  venue_order_id text,
  reason text not null default '',
  cancel_requested boolean not null default false,
  release text not null,                         -- that accepted or decided it
  timeline int,                                  -- fencing token under which it was sent
  epoch bigint,
  created_at timestamptz not null default clock_timestamp(),
  sent_at timestamptz,
  updated_at timestamptz not null default clock_timestamp()
);
create index orders_unsent on trading.orders (created_at) where state = 'NEW';
create index orders_open on trading.orders (symbol)
  where state in ('NEW', 'SENT', 'ACKED', 'PARTIALLY_FILLED', 'UNKNOWN');
create index orders_created on trading.orders (created_at desc);
create index orders_strategy on trading.orders (strategy, created_at desc);

create table trading.order_events (
  id bigint generated always as identity primary key,
  client_order_id text not null,
  from_state text,
  to_state text not null,
  detail text not null default '',
  timeline int,
  epoch bigint,
  at timestamptz not null default clock_timestamp()
);
create index order_events_order on trading.order_events (client_order_id, id);

create table trading.fills (
  fill_id text primary key,
  venue_sequence bigint not null unique,
  client_order_id text not null,
  strategy text not null,
  symbol text not null,
  side text not null,
  quantity numeric not null,
  price numeric not null,
  fee numeric not null,
  bar_timestamp timestamptz not null,
  recorded_at timestamptz not null default clock_timestamp()
);
create index fills_order on trading.fills (client_order_id);

create table trading.positions (
  strategy text not null,
  symbol text not null,
  quantity numeric not null default 0,
  average_price numeric not null default 0,
  realized_profit numeric not null default 0,
  fees numeric not null default 0,
  updated_at timestamptz not null default clock_timestamp(),
  primary key (strategy, symbol)
);

create table trading.equity (
  bar_timestamp timestamptz primary key,
  realized_profit numeric not null,
  unrealized_profit numeric not null,
  fees numeric not null,
  equity numeric not null,
  recorded_at timestamptz not null default clock_timestamp()
);

create table trading.events (
  seq bigint generated always as identity primary key,
  kind text not null,
  payload jsonb not null,
  at timestamptz not null default clock_timestamp()
);

-- One writer at a time until its commit: so numbers become visible in order, and a reader that
-- asks for "greater than the last one I saw" misses none.
create function trading.order_events_writers() returns trigger language plpgsql as $$
begin
  perform pg_advisory_xact_lock(hashtext('trading.events'));
  return null;
end $$;
create trigger one_writer before insert on trading.events
  for each statement execute function trading.order_events_writers();

create function trading.notify_events() returns trigger language plpgsql as $$
declare
  newest bigint;
begin
  select max(seq) into newest from written;
  if newest is not null then
    perform pg_notify('trading_events', newest::text);
  end if;
  return null;
end $$;
create trigger notify after insert on trading.events referencing new table as written
  for each statement execute function trading.notify_events();

create table trading.risk_state (
  only_row boolean primary key default true check (only_row),
  killed boolean not null default false,
  reason text not null default '',
  actor text not null default '',
  changed_at timestamptz not null default clock_timestamp()
);
insert into trading.risk_state default values;

create table trading.risk_log (
  id bigint generated always as identity primary key,
  killed boolean not null,
  reason text not null,
  actor text not null,
  at timestamptz not null default clock_timestamp()
);

create table trading.idempotency (
  key text primary key,
  request_hash text not null,
  status int not null,
  response jsonb not null,
  created_at timestamptz not null default clock_timestamp()
);

create function trading.timeline() returns int language sql volatile as $$
  select ('x' || substr(pg_walfile_name(pg_current_wal_lsn()), 1, 8))::bit(32)::int
$$;

create table trading.lease (
  only_row boolean primary key default true check (only_row),
  slot text not null,
  holder uuid,
  timeline int not null,
  epoch bigint not null,
  acquired_at timestamptz,
  heartbeat_at timestamptz
);

create table trading.lease_log (
  id bigint generated always as identity primary key,
  slot text not null,
  holder uuid,
  timeline int not null,
  epoch bigint not null,
  at timestamptz not null default clock_timestamp()
);

-- Heartbeats are not logged: only who holds it, and since when.
create function trading.log_lease() returns trigger language plpgsql as $$
begin
  if tg_op = 'UPDATE' and new.epoch = old.epoch and new.timeline = old.timeline
     and new.slot = old.slot and new.holder is not distinct from old.holder then
    return null;
  end if;
  insert into trading.lease_log (slot, holder, timeline, epoch)
  values (new.slot, new.holder, new.timeline, new.epoch);
  return null;
end $$;
create trigger log_lease after insert or update on trading.lease
  for each row execute function trading.log_lease();
"""

DOWN = """
drop schema trading cascade;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
