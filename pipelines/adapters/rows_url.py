"""Schema `slipway` in a database that is reached by a URL and that somebody else runs."""

from __future__ import annotations

import stat
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipelines.adapters.rows import CALL_SECONDS, PostgresRows
from pipelines.model.branch import RowReading
from pipelines.model.errors import NeedsPerson, SlipwayError

if TYPE_CHECKING:
    import psycopg

SCHEMES = ("postgresql://", "postgres://")
CONNECT_SECONDS = 2
NO_SCHEMA = 'relation "slipway.active" does not exist'


class UrlRows(PostgresRows):
    """Implements ports.Rows. The role of the URL owns the schema; the application connects with the
    same role, or is granted what it needs by whoever runs the database."""

    grants = ""

    def __init__(self, url_file: Path | None, environment: str) -> None:
        self.url_file, self.environment = url_file, environment
        self.connection = None

    def _connect(self) -> psycopg.Connection[tuple[Any, ...]]:
        """Raises psycopg.OperationalError, NeedsPerson."""
        import psycopg  # 0.3 s to import; not needed where the application moves the row

        return psycopg.connect(
            database_url(self.url_file, self.environment),
            connect_timeout=CONNECT_SECONDS,
            autocommit=True,
            application_name="slipway",
            options=f"-c statement_timeout={int(CALL_SECONDS * 1000)} -c lock_timeout=2000",
        )

    def _schema(self) -> str:
        """Hooks write here as well, and are fenced by it."""
        hooks = resources.files("pipelines.targets.kubernetes").joinpath("hooks.sql").read_text()
        return f"{super()._schema()}\n{hooks}"

    def _make_database(self) -> None:
        """It is there before the first release: an operator, a chart or Pulumi made it."""

    def read(self) -> RowReading:
        """A database without the schema is a new one: nothing was ever active there."""
        try:
            reading = super().read()
            return RowReading() if NO_SCHEMA in reading.detail else reading
        except SlipwayError as error:
            return RowReading(down=True, detail=error.message)


def database_url(file: Path | None, environment: str) -> str:
    """The libpq URI in the file. Raises NeedsPerson that never shows what the file holds."""
    setting = f"environments/{environment}/environment.yaml: kubernetes.database_url_file"
    if file is None:
        raise NeedsPerson(
            f"{setting} is missing: by which address does Slipway reach the database?",
            hint="write postgresql://USER:PASSWORD@HOST:5432/NAME into a file of mode 0600, name it",
        )
    try:
        text, mode = file.read_text().strip(), stat.S_IMODE(file.stat().st_mode)
    except OSError as error:
        raise NeedsPerson(f"{setting}: {file}: {error.strerror}") from None
    if not text.startswith(SCHEMES) or "\n" in text:
        raise NeedsPerson(f"{setting}: {file} does not hold one address postgresql://…")
    # A mounted secret belongs to the pod's group; nobody else may read it in any case.
    if mode & 0o007:
        raise NeedsPerson(f"{setting}: {file} may be read by everybody", hint=f"chmod 600 {file}")
    return text
