"""What records need from a database file. `pipelines.adapters.sqlite` implements it."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

Row = tuple[Any, ...]


class Transaction(Protocol):
    """Statements that become durable together, or not at all."""

    def execute(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]: ...


class Store(Protocol):
    """One database file. Raises Unavailable when it cannot be read or written."""

    def write(self) -> AbstractContextManager[Transaction]:
        """The one writer until the block ends; on disk when the block has ended."""

    def query(self, sql: str, parameters: Sequence[Any] = ()) -> list[Row]: ...
