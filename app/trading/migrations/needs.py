"""The tables as this release knows them: what no migration may take away, or demand, meanwhile.

The ledger says which revisions are applied; that a later one, unknown here, has only added is
what this checks. A new column without a default that must not be null would refuse every insert.
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

WRONG = """
with known as (
  select needed, to_regclass('trading.' || split_part(needed, '.', 1)) as relation,
    split_part(needed, '.', 2) as name
  from unnest(%(needed)s::text[]) as needed
), present as (
  select a.attrelid, a.attname, c.relname, a.attnotnull and not a.atthasdef
    and a.attidentity = '' and a.attgenerated = '' as demanded
  from pg_attribute a join pg_class c on c.oid = a.attrelid
  where a.attrelid in (select relation from known) and a.attnum > 0 and not a.attisdropped
)
select json_build_object(
  'gone', (select coalesce(json_agg(needed order by needed), '[]') from known
    where not exists (select 1 from present p where p.attrelid = relation and p.attname = name)),
  'demanded', (select coalesce(json_agg(relname || '.' || attname), '[]') from present p
    where demanded and not exists (
      select 1 from known where p.attrelid = relation and p.attname = name)))
"""
"""One JSON object: `gone`, those of `needed` (`table.column`) the database does not have;
`demanded`, other columns of these tables that every insert must give."""


def explain(wrong: dict[str, list[str]]) -> str:
    """For people; empty when nothing is wrong."""
    said = []
    if gone := wrong["gone"]:
        said.append(f"lacks {_some(gone)}, which this release uses")
    if demanded := wrong["demanded"]:
        said.append(f"demands {_some(demanded)}, which this release does not know")
    return f"the database {' and '.join(said)}; undo the migration that did it" if said else ""


def _some(names: list[str]) -> str:
    return ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
