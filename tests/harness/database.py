"""Where the database of an environment is, for tests that look into it themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import psycopg
from psycopg.rows import dict_row


def uri(state: Path, runtime: Path, environment: str) -> str:
    """libpq URI of the superuser `slipway` over the environment's UNIX socket."""
    passfile = state / "environments" / environment / "slipway.passfile"
    return f"postgresql://slipway@/trading?host={runtime / environment}&passfile={passfile}"


def query(address: str, sql: str, *parameters: Any) -> list[dict[str, Any]]:
    """Rows as dictionaries."""
    with psycopg.connect(address, connect_timeout=3, row_factory=dict_row) as database:
        return list(database.execute(sql.encode(), parameters).fetchall())
