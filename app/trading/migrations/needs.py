"""The columns this release reads and writes: what no migration may take away while it runs.

The ledger says which revisions are applied; that a later one, unknown here, has only added is
what this checks.
"""

from __future__ import annotations

COLUMNS = {
    "backtests": "id request state days_done days result error release created_at updated_at",
    "bars": "symbol timestamp open high low close volume",
    "equity": "bar_timestamp realized_profit unrealized_profit fees equity recorded_at",
    "events": "seq kind payload at",
    "fills": (
        "fill_id venue_sequence client_order_id strategy symbol side quantity price fee "
        "bar_timestamp recorded_at"
    ),
    "idempotency": "key request_hash status response created_at",
    "instruments": "symbol name currency last_price last_bar_timestamp",
    "lease": "only_row slot holder timeline epoch acquired_at heartbeat_at",
    "lease_log": "id slot holder timeline epoch at",
    "order_events": "id client_order_id from_state to_state detail timeline epoch at",
    "orders": (
        "client_order_id source strategy symbol side quantity type limit_price stop_price "
        "reference_price bar_timestamp content_hash state filled_quantity filled_notional "
        "venue_order_id reason cancel_requested release timeline epoch created_at sent_at "
        "updated_at"
    ),
    "positions": "strategy symbol quantity average_price realized_profit fees updated_at",
    "releases": "release source_commit source_author strategies first_seen_at",
    "replay_state": "only_row day_index stored_day completed_day updated_at",
    "risk_log": "id killed reason actor at",
    "risk_state": "only_row killed reason actor changed_at",
    "signals": "strategy symbol bar_timestamp target_quantity reason release epoch recorded_at",
}
"""By table of schema `trading`."""

NEEDED = [f"{table}.{column}" for table, names in COLUMNS.items() for column in names.split()]

GONE = """
select coalesce(json_agg(needed order by needed), '[]')
from unnest(%(needed)s::text[]) as needed
where not exists (
  select 1 from pg_attribute a
  where a.attrelid = to_regclass('trading.' || split_part(needed, '.', 1))
    and a.attname = split_part(needed, '.', 2) and not a.attisdropped)
"""
"""Those of `needed` (`table.column`) that the database does not have, as a JSON array."""


def explain(gone: list[str]) -> str:
    """For people; empty when nothing is gone."""
    if not gone:
        return ""
    shown = ", ".join(gone[:5]) + (f" and {len(gone) - 5} more" if len(gone) > 5 else "")
    return (
        f"the database lacks {shown}, which this release uses; undo the migration that took it away"
    )
