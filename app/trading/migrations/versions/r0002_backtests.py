"""Backtests asked for through the API: they outlive the process that was asked."""

from alembic import op

revision = "r0002"
down_revision = "r0001"
branch_labels = None
depends_on = None
kind = "expand"

UP = """
create table trading.backtests (
  id uuid primary key default gen_random_uuid(),
  request jsonb not null,
  state text not null default 'QUEUED' check (state in ('QUEUED', 'RUNNING', 'DONE', 'FAILED')),
  days_done int not null default 0,
  days int,
  result jsonb,
  error jsonb,
  release text not null,
  created_at timestamptz not null default clock_timestamp(),
  updated_at timestamptz not null default clock_timestamp()
);
create index backtests_created on trading.backtests (created_at);
"""

DOWN = """
drop table trading.backtests;
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
