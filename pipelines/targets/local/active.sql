-- The one durable fact of an environment: which slot is active. Written by compare-and-set only.
-- Idempotent: running this file again changes nothing. The delivery engine carries the same file.
create schema if not exists slipway;

create table if not exists slipway.active (
  only_row boolean primary key default true check (only_row),
  slot text not null check (slot in ('blue', 'green')),
  release text not null,
  epoch bigint not null,
  operation text not null,
  commit text not null,
  state text not null check (state in ('provisional', 'confirmed')),
  confirm_by timestamptz,
  token bigint not null,
  previous_slot text,
  previous_release text,
  published boolean not null default true,
  reason text not null default '',
  changed_at timestamptz not null default clock_timestamp()
);

create table if not exists slipway.active_log (
  id bigint generated always as identity primary key,
  slot text not null,
  release text not null,
  epoch bigint not null,
  operation text not null,
  commit text not null,
  state text not null,
  confirm_by timestamptz,
  token bigint not null,
  previous_slot text,
  previous_release text,
  published boolean not null,
  reason text not null,
  changed_at timestamptz not null,
  at timestamptz not null default clock_timestamp()
);

create or replace function slipway.log_active() returns trigger language plpgsql as $$
begin
  insert into slipway.active_log (slot, release, epoch, operation, commit, state, confirm_by, token,
    previous_slot, previous_release, published, reason, changed_at)
  values (new.slot, new.release, new.epoch, new.operation, new.commit, new.state, new.confirm_by,
    new.token, new.previous_slot, new.previous_release, new.published, new.reason, new.changed_at);
  perform pg_notify('slipway_active', new.epoch::text);
  return null;
end $$;

create or replace trigger log_active after insert or update on slipway.active
  for each row execute function slipway.log_active();

-- Raises SW001 (stale token: somebody newer acts) or SW002 (the epoch is not the expected one).
create or replace function slipway.switch(
  p_slot text, p_release text, p_operation text, p_commit text, p_token bigint,
  p_expect_epoch bigint, p_state text, p_confirm_by timestamptz, p_published boolean, p_reason text
) returns slipway.active language plpgsql as $$
declare
  current_row slipway.active;
  result slipway.active;
begin
  -- Also serialises two first switches, when there is no row yet that could be locked.
  perform pg_advisory_xact_lock(hashtext('slipway.active'));
  select * into current_row from slipway.active for update;
  if found and current_row.operation = p_operation then
    return current_row;
  end if;
  if found and p_token < current_row.token then
    raise exception 'STALE_TOKEN: token=% newest=%', p_token, current_row.token
      using errcode = 'SW001';
  end if;
  if coalesce(current_row.epoch, 0) <> p_expect_epoch then
    raise exception 'STALE_EPOCH: expected=% actual=%', p_expect_epoch,
      coalesce(current_row.epoch, 0) using errcode = 'SW002';
  end if;
  insert into slipway.active as a (slot, release, epoch, operation, commit, state, confirm_by,
    token, published, reason)
  values (p_slot, p_release, 1, p_operation, p_commit, p_state, p_confirm_by, p_token,
    p_published, p_reason)
  on conflict (only_row) do update set
    slot = excluded.slot, release = excluded.release, epoch = a.epoch + 1,
    operation = excluded.operation, commit = excluded.commit, state = excluded.state,
    confirm_by = excluded.confirm_by, token = excluded.token, previous_slot = a.slot,
    previous_release = a.release, published = excluded.published, reason = excluded.reason,
    changed_at = clock_timestamp()
  returning * into result;
  return result;
end $$;

-- Raises SW001 (stale token) or SW003 (another operation owns the row).
create or replace function slipway.own_row(p_operation text, p_token bigint)
returns slipway.active language plpgsql as $$
declare
  current_row slipway.active;
begin
  select * into current_row from slipway.active for update;
  if not found or current_row.operation <> p_operation then
    raise exception 'OTHER_OPERATION: asked=% actual=%', p_operation,
      coalesce(current_row.operation, '(none)') using errcode = 'SW003';
  end if;
  if p_token < current_row.token then
    raise exception 'STALE_TOKEN: token=% newest=%', p_token, current_row.token
      using errcode = 'SW001';
  end if;
  return current_row;
end $$;

create or replace function slipway.confirm(p_operation text, p_token bigint)
returns slipway.active language plpgsql as $$
declare
  result slipway.active;
begin
  result := slipway.own_row(p_operation, p_token);
  if result.state = 'confirmed' and result.confirm_by is null then
    return result;
  end if;
  update slipway.active set state = 'confirmed', confirm_by = null, token = p_token,
    changed_at = clock_timestamp() returning * into result;
  return result;
end $$;

create or replace function slipway.published(p_operation text, p_token bigint)
returns slipway.active language plpgsql as $$
declare
  result slipway.active;
begin
  result := slipway.own_row(p_operation, p_token);
  if result.published then
    return result;
  end if;
  update slipway.active set published = true, token = p_token,
    changed_at = clock_timestamp() returning * into result;
  return result;
end $$;

-- Applied migrations with their scripts: a release that does not know one can still undo it.
create table if not exists slipway.migrations (
  revision text primary key,
  kind text not null check (kind in ('expand', 'contract')),
  sha256 text not null,
  script text not null,
  down_script text not null,
  applied_at timestamptz not null default clock_timestamp(),
  applied_by_release text not null
);
