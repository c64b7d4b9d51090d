"""What is applied in the database: `slipway.migrations`. Light: psycopg only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from psycopg import Connection

from trading.errors import SchemaMissing
from trading.migrations import needs
from trading.migrations.scripts import Script, required, scripts

ACTIVE_SQL = Path(__file__).parents[1] / "control" / "active.sql"


def applied(connection: Connection[Any]) -> list[str]:
    """Revisions in the order of application; none where even the ledger is missing."""
    row = connection.execute("select to_regclass('slipway.migrations')").fetchone()
    if row is None or row[0] is None:
        return []
    return [
        revision
        for (revision,) in connection.execute(
            "select revision from slipway.migrations order by applied_at, revision"
        )
    ]


def pending(done: Sequence[str], known: Sequence[Script]) -> list[Script]:
    return [script for script in known if script.revision not in done]


def status(connection: Connection[Any]) -> dict[str, object]:
    """`missing`: applied in the database, unknown to this release; the ledger keeps its script."""
    known = scripts()
    done = applied(connection)
    names = {script.revision for script in known}
    return {
        "required": [script.revision for script in known if script.kind == "expand"],
        "applied": done,
        "pending": [
            {
                "revision": script.revision,
                "kind": script.kind,
                "sha256": script.sha256,
                "message": script.message,
            }
            for script in pending(done, known)
        ],
        "missing": [revision for revision in done if revision not in names],
    }


def lacking(done: Sequence[str]) -> list[str]:
    """What this release needs and the database does not contain."""
    return [revision for revision in required() if revision not in done]


def require_schema(connection: Connection[Any]) -> list[str]:
    """The applied revisions. Raises `SchemaMissing` when one, or a column in use, is not there."""
    done = applied(connection)
    if lost := lacking(done):
        raise SchemaMissing(
            f"the database lacks {', '.join(lost)}; run: trading migrate up", missing=lost
        )
    row = connection.execute(needs.WRONG, {"needed": needs.NEEDED}).fetchone()
    if row is not None and (problem := needs.explain(row[0])):
        raise SchemaMissing(problem, missing=row[0]["gone"])
    return done
