-- What hooks in a cluster remember, and the token that fences them. Beside active.sql, applied after it.
-- Idempotent: running this file again changes nothing.
create table if not exists slipway.hooks (
  operation text not null,
  step text not null,
  named text not null,
  release text not null,
  slot text not null,
  status text not null,
  message text not null,
  details jsonb not null default '{}',
  at timestamptz not null default clock_timestamp(),
  primary key (operation, step)
);

create table if not exists slipway.hooks_once (
  key text primary key,
  operation text not null,
  at timestamptz not null default clock_timestamp()
);

-- The largest token that was given out. Hooks have no lock file: this is theirs.
create table if not exists slipway.fence (
  only_row boolean primary key default true check (only_row),
  token bigint not null
);

create or replace function slipway.take_token(p_at_least bigint) returns bigint language plpgsql as $$
declare
  result bigint;
begin
  -- The same lock as a switch: no switch with an older token is under way when this returns.
  perform pg_advisory_xact_lock(hashtext('slipway.active'));
  perform 1 from slipway.active for update;
  select greatest(
    p_at_least,
    1 + coalesce((select token from slipway.active), 0),
    1 + coalesce((select token from slipway.fence), 0)
  ) into result;
  insert into slipway.fence as f (token) values (result)
  on conflict (only_row) do update set token = excluded.token;
  return result;
end $$;

-- With its owner's rights: the application writes the row too, and knows nothing of this table.
create or replace function slipway.keep_fence() returns trigger language plpgsql
  security definer set search_path = slipway, pg_temp as $$
declare
  newest bigint;
begin
  select token into newest from slipway.fence;
  if new.token < newest then
    raise exception 'STALE_TOKEN: token=% newest=%', new.token, newest using errcode = 'SW001';
  end if;
  return new;
end $$;

create or replace trigger keep_fence before insert or update on slipway.active
  for each row execute function slipway.keep_fence();
