"""Tables of `environments/<env>/records.sqlite`, and the triggers that keep the audit as it was."""

from __future__ import annotations

VERSION = 1

TABLES = """
create table if not exists lock (
  only_row integer primary key check (only_row = 1),
  token integer not null, held integer not null,
  holder text not null, purpose text not null,
  pid integer not null, started text not null, boot_id text not null,
  acquired_at text not null, expires_at text not null, expires_boot_seconds real not null
);
create trigger if not exists lock_token_grows before update on lock
  when new.token < old.token
  begin select raise(abort, 'the token only grows'); end;
create trigger if not exists lock_stays before delete on lock
  begin select raise(abort, 'the token only grows'); end;

create table if not exists operations (
  id text primary key, kind text not null, release text not null,
  from_slot text not null, to_slot text not null, "commit" text not null,
  actor text not null, reason text not null, options text not null, plan_digest text not null,
  status text not null, message text not null, started_at text not null, ended_at text not null,
  switch_seconds real, token integer not null
);
create index if not exists operations_running on operations (status) where status = 'running';
create table if not exists steps (
  operation text not null, name text not null, status text not null, seconds real not null,
  detail text not null, unique (operation, name)
);
create table if not exists effects (
  operation text not null, name text not null, token integer not null, at text not null,
  primary key (operation, name)
);
create table if not exists memory (
  operation text not null, key text not null, value text not null, primary key (operation, key)
);
create table if not exists once (key text primary key, at text not null);
create table if not exists facts (key text primary key, value text not null);

create table if not exists freeze (
  only_row integer primary key check (only_row = 1),
  actor text not null, reason text not null, at text not null
);

create table if not exists audit (
  sequence integer primary key autoincrement,
  at text not null, actor text not null, action text not null, environment text not null,
  reason text not null, options text not null, plan_digest text not null, result text not null,
  details text not null, previous text not null, digest text not null unique
);
create trigger if not exists audit_never_changes before update on audit
  begin select raise(abort, 'the audit is append-only'); end;
create trigger if not exists audit_never_shrinks before delete on audit
  begin select raise(abort, 'the audit is append-only'); end;
create trigger if not exists audit_grows_at_its_end before insert on audit
  when new.previous <> coalesce(
    (select digest from audit order by sequence desc limit 1), '')
  begin select raise(abort, 'an audit entry follows the last one'); end;
"""
