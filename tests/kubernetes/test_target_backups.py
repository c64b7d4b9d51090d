"""Backups of a database that somebody else runs: whole, or not there; and no restore here."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from pipelines.adapters.kubernetes.dumps import Dumps, connection_variables
from pipelines.adapters.postgres import LocalPostgres
from pipelines.adapters.rows import PostgresRows
from pipelines.adapters.rows_url import UrlRows, database_url
from pipelines.model.errors import BadInput, NeedsPerson, Unavailable
from pipelines.targets.local.layout import Installation, Layout
from tests.target_suite.cluster import database_file
from tests.target_suite.ports import free_base_port


@pytest.fixture(scope="module")
def layout(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Layout]:
    folder = tmp_path_factory.mktemp("dumps")
    made = Installation.create(folder / "state", folder, free_base_port()).layout("staging")
    postgres = LocalPostgres(made)
    try:
        postgres.ensure()
        PostgresRows(made).apply_schema()
        yield made
    finally:
        postgres.stop()


@pytest.fixture
def url(layout: Layout) -> str:
    return database_url(database_file(layout), "staging")


def test_a_dump_holds_the_tables_and_is_listed_with_its_reason(url: str, tmp_path: Path) -> None:
    dumps = Dumps(tmp_path, lambda: url)
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("create table if not exists kept as select 42 as answer")
    info = dumps.take("before r0003")
    assert list(dumps.all()) == [info]
    assert info.reason == "before r0003"
    assert info.bytes > 500
    assert not list(tmp_path.glob(".partial*"))


def test_a_database_that_is_away_leaves_no_half_a_dump(tmp_path: Path) -> None:
    dumps = Dumps(tmp_path, lambda: "postgresql://trading@127.0.0.1:1/trading")
    with pytest.raises(Unavailable, match="pg_dump"):
        dumps.take("no way")
    assert list(tmp_path.iterdir()) == []


def test_a_restore_is_refused_with_the_way_and_an_unknown_name_with_those_there_are(
    url: str, tmp_path: Path
) -> None:
    dumps = Dumps(tmp_path, lambda: url)
    info = dumps.take("kept")
    with pytest.raises(NeedsPerson, match="not Slipway's"):
        dumps.refuse_restore(info.name)
    with pytest.raises(BadInput, match=r"no backup 'other'"):
        dumps.refuse_restore("other")


def test_a_password_reaches_pg_dump_by_no_argument() -> None:
    found = connection_variables("postgresql://me:secret@db.example.com:6543/shop?sslmode=require")
    assert found == {
        "PGUSER": "me",
        "PGPASSWORD": "secret",
        "PGHOST": "db.example.com",
        "PGPORT": "6543",
        "PGDATABASE": "shop",
        "PGSSLMODE": "require",
    }


def test_the_schema_is_installed_by_the_role_of_the_url_and_again_changes_nothing(
    layout: Layout,
) -> None:
    rows = UrlRows(database_file(layout), "staging")
    for _ in range(2):
        rows.apply_schema()
    assert rows.read().row is None
    assert not rows.read().down
    rows.close()


@pytest.mark.parametrize(
    ("content", "mode", "words"),
    [
        ("mysql://x", 0o600, "does not hold one address"),
        ("postgresql://a\npostgresql://b", 0o600, "does not hold one address"),
        ("postgresql://a:secret@b/c", 0o644, "may be read by everybody"),
    ],
)
def test_a_file_that_is_wrong_is_refused_without_showing_what_it_holds(
    tmp_path: Path, content: str, mode: int, words: str
) -> None:
    file = tmp_path / "url"
    file.write_text(content)
    file.chmod(mode)
    with pytest.raises(NeedsPerson, match=words) as caught:
        database_url(file, "dev")
    assert "secret" not in str(caught.value)
    with pytest.raises(NeedsPerson, match="database_url_file is missing"):
        database_url(None, "dev")
    assert UrlRows(tmp_path / "none", "dev").read().down
