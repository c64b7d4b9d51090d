create table if not exists orders (
  venue_order_id integer primary key autoincrement,
  client_order_id text not null unique,
  symbol text not null,
  side text not null,
  quantity text not null,
  type text not null,
  limit_price text,
  stop_price text,
  tag text not null,
  content text not null,
  state text not null,
  filled_quantity text not null default '0',
  triggered integer not null default 0,
  reason text not null default '',
  token text not null,
  received integer not null default 1
);
create index if not exists orders_working on orders (venue_order_id)
  where state in ('WORKING', 'PARTIALLY_FILLED');
create table if not exists fills (
  sequence integer primary key autoincrement,
  fill_id text not null unique,
  client_order_id text not null,
  symbol text not null,
  side text not null,
  quantity text not null,
  price text not null,
  fee text not null,
  bar_timestamp text not null
);
create table if not exists positions (symbol text primary key, quantity text not null);
create table if not exists days (bar_timestamp text primary key, last_sequence integer not null);
create table if not exists fence (
  only_row integer primary key check (only_row = 1), timeline integer not null, epoch integer not null
);
insert or ignore into fence values (1, 0, 0);
