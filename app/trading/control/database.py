"""Connecting to PostgreSQL. Light: psycopg only."""

from __future__ import annotations

from typing import Any

import psycopg

from trading.errors import DatabaseUnavailable


def connect(
    url: str, application_name: str = "trading", timeout_seconds: int = 5
) -> psycopg.Connection[Any]:
    """A connection in autocommit. Raises `DatabaseUnavailable`."""
    try:
        return psycopg.connect(
            url,
            autocommit=True,
            connect_timeout=timeout_seconds,
            application_name=application_name,
        )
    except psycopg.OperationalError as error:
        raise DatabaseUnavailable(f"the database does not answer: {error}") from error
