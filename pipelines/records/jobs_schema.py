"""Tables of `jobs.sqlite`: what the dev controller shall work on, and what came of it."""

from __future__ import annotations

VERSION = 1

TABLES = """
create table if not exists jobs (
  id integer primary key autoincrement,
  kind text not null, branch text not null, "commit" text not null,
  actor text not null, reason text not null,
  status text not null, message text not null, report text not null, attempts integer not null,
  engine text not null,
  pid integer not null, started text not null, boot_id text not null,
  asked_at text not null, started_at text not null, ended_at text not null
);
create index if not exists jobs_by_branch on jobs (branch, id);
create index if not exists jobs_open on jobs (status) where status in ('queued', 'running');
create unique index if not exists jobs_one_runs on jobs (status) where status = 'running';
"""
