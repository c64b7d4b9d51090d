"""What the rehearsal of a migration asks of the machine; an adapter implements it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol


@dataclass(frozen=True, slots=True)
class BackupCopy:
    """A verified base backup of an environment."""

    environment: str
    name: str

    def __str__(self) -> str:
        return f"{self.environment}/{self.name}"


class Database(Protocol):
    """A private PostgreSQL server, prepared as an environment's is: role and database, schema
    `slipway`. Every call may raise Unavailable, in words."""

    @property
    def url(self) -> str:
        """For the application: libpq URI over a UNIX socket."""

    def activate(self, release: str) -> None:
        """Name an active release where none ever was: as old code sees it."""

    def schema(self) -> str:
        """The definitions of everything in it, as SQL in a fixed order and without what differs
        between two dumps of the same."""

    def rows(self) -> int:
        """Counted, of all tables that are not the server's own."""


class Running(Protocol):
    """A program in the background. It dies with whoever asked for it."""

    def alive(self) -> bool: ...

    def get(self, path: str) -> tuple[int, str]:
        """Status and body from its first socket; 0 and the problem when nothing answers."""

    @property
    def address(self) -> str:
        """`http://127.0.0.1:<port>` of its first socket."""

    def end(self, seconds: float) -> tuple[int | None, Any, str]:
        """SIGTERM, then force. Exit code (None: it had to be forced), the JSON it printed last,
        and its last words."""


class Rehearsals(Protocol):
    """Everything ends, and every folder goes, with the context manager."""

    def restored(self, folder: Path, backup: BackupCopy) -> AbstractContextManager[Database]:
        """Raises Unavailable for a backup that is damaged or gone, and for a full disk."""

    def generated(
        self, folder: Path, key: str, fill: Callable[[Database], None]
    ) -> AbstractContextManager[Database]:
        """A copy of what `fill` makes of an empty database; kept under `key`, so that equal keys
        are filled once."""

    def start(
        self,
        argv: Sequence[str | Path],
        *,
        folder: Path,
        variables: Mapping[str, str],
        sockets: Sequence[str] = (),
    ) -> AbstractContextManager[Running]:
        """`sockets` names variables; each gets the descriptor of a listening loopback socket."""

    def recall(self, backup: BackupCopy) -> tuple[str, ...] | None:
        """What `remember` was told about a backup; None when nothing was."""

    def remember(self, backup: BackupCopy, applied: Sequence[str]) -> None:
        """Which revisions a backup contains, so that it need not be restored to be asked again."""
