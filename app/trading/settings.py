"""What the process is told by its environment variables. Light: imports neither YAML nor pydantic.

Secrets are never in a variable: `SLIPWAY_TOKEN_FILE` names a file, and the database URL names a
`passfile` or is itself in a file. What people decide about an environment is in values.yaml, read
by `values()`.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from trading.errors import InvalidSettings, SettingMissing, SocketUnavailable, TokenFileUnsafe
from trading.listen import Address, parse_address
from trading.secret_file import read_secret

if TYPE_CHECKING:
    from trading.values import Values

SLOTS = ("blue", "green")
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{16,}")  # what a bearer token may be made of (RFC 6750)
# What means the same thing twice; which of the two would count, nobody could say.
_CONTRADICTIONS = (
    ("SLIPWAY_LISTEN", "SLIPWAY_LIVE_FD"),
    ("SLIPWAY_LISTEN", "SLIPWAY_SLOT_FD"),
    ("SLIPWAY_TRAFFIC", "SLIPWAY_TRAFFIC_FILE"),
    ("SLIPWAY_DATABASE_URL", "SLIPWAY_DATABASE_URL_FILE"),
)


@dataclass(frozen=True, slots=True)
class Settings:
    """One field for each variable; empty or None where it is not set."""

    environment: str = "dev"
    slot: str = "blue"
    release: str = "unreleased"
    database_url: str = ""
    database_url_file: Path | None = None
    token_file: Path | None = None
    values_file: Path | None = None
    venue_url: str = ""
    data_dir: Path | None = None
    traffic_file: Path | None = None
    follows_row: bool = False
    listen: Address | None = None
    live_fd: int | None = None
    slot_fd: int | None = None
    source_commit: str = ""
    source_author: str = ""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read all `SLIPWAY_*` variables. Raises `InvalidSettings`, `SocketUnavailable`."""
        env = os.environ if environ is None else environ
        _refuse_contradictions(env)
        slot = env.get("SLIPWAY_SLOT", "blue")
        if slot not in SLOTS:
            raise InvalidSettings(f"SLIPWAY_SLOT is {slot!r}; it is blue or green", slot=slot)
        return cls(
            environment=env.get("SLIPWAY_ENVIRONMENT", "dev"),
            slot=slot,
            release=env.get("SLIPWAY_RELEASE", "unreleased"),
            database_url=env.get("SLIPWAY_DATABASE_URL", ""),
            database_url_file=_path(env, "SLIPWAY_DATABASE_URL_FILE"),
            token_file=_path(env, "SLIPWAY_TOKEN_FILE"),
            values_file=_path(env, "SLIPWAY_VALUES"),
            venue_url=env.get("SLIPWAY_VENUE_URL", "").rstrip("/"),
            data_dir=_path(env, "SLIPWAY_DATA_DIR"),
            traffic_file=_path(env, "SLIPWAY_TRAFFIC_FILE"),
            follows_row=_follows_row(env),
            listen=parse_address(env["SLIPWAY_LISTEN"]) if env.get("SLIPWAY_LISTEN") else None,
            live_fd=_descriptor(env, "SLIPWAY_LIVE_FD"),
            slot_fd=_descriptor(env, "SLIPWAY_SLOT_FD"),
            source_commit=env.get("SLIPWAY_SOURCE_COMMIT", ""),
            source_author=env.get("SLIPWAY_SOURCE_AUTHOR", ""),
        )

    def need_database_url(self) -> str:
        """The libpq URI. Raises `SettingMissing`, `TokenFileUnsafe`."""
        if self.database_url_file is not None:
            return _only_line(self.database_url_file)
        return _need(self.database_url, "SLIPWAY_DATABASE_URL", "a libpq URI")

    def need_venue_url(self) -> str:
        """The venue's base URL without a slash at its end. Raises `SettingMissing`."""
        return _need(self.venue_url, "SLIPWAY_VENUE_URL", "http://127.0.0.1:<port>")

    def need_data_dir(self) -> Path:
        """The folder for the venue's book. Raises `SettingMissing`."""
        return Path(_need(str(self.data_dir or ""), "SLIPWAY_DATA_DIR", "an existing folder"))

    def token(self) -> str:
        """The bearer token. Raises `SettingMissing`, `TokenFileUnsafe`."""
        return read_token(Path(_need(str(self.token_file or ""), "SLIPWAY_TOKEN_FILE", "a file")))

    def values(self) -> Values:
        """The merged values.yaml, typed; the defaults where no file is named.

        Raises `InvalidSettings`, `DuplicateKey`, `FileUnreadable`.
        """
        from trading.values import Values, load

        return load(self.values_file) if self.values_file else Values()

    def with_changes(self, **changes: object) -> Settings:
        """A copy with other fields, for commands whose options override a variable."""
        return replace(self, **changes)  # type: ignore[arg-type]


def read_token(path: Path) -> str:
    """The token in `path`. Raises `TokenFileUnsafe`."""
    token = read_secret(path, "token file").decode("ascii", errors="replace").strip()
    if not _TOKEN.fullmatch(token):
        raise TokenFileUnsafe(
            f"token file {path} must hold one line of 16 or more of A-Z a-z 0-9 . _ ~ + / = -",
            path=path,
        )
    return token


def _only_line(path: Path) -> str:
    text = read_secret(path, "database URL file").decode("utf-8", errors="replace").strip()
    if not text.startswith(("postgresql://", "postgres://")) or len(text.split()) != 1:
        raise TokenFileUnsafe(
            f"database URL file {path} must hold one line: postgresql://USER:PASSWORD@HOST/NAME",
            path=path,
        )
    return text


def _refuse_contradictions(env: Mapping[str, str]) -> None:
    for one, other in _CONTRADICTIONS:
        if env.get(one) and env.get(other):
            raise InvalidSettings(f"{one} and {other} are both set; unset one of them")


def _follows_row(env: Mapping[str, str]) -> bool:
    word = env.get("SLIPWAY_TRAFFIC", "")
    if word not in ("", "row"):
        raise InvalidSettings(f"SLIPWAY_TRAFFIC is {word!r}; it is row, or not set", traffic=word)
    if word and not env.get("SLIPWAY_SLOT"):
        raise InvalidSettings("SLIPWAY_TRAFFIC is row, so SLIPWAY_SLOT must say which slot this is")
    if word and not env.get("SLIPWAY_LISTEN"):
        raise InvalidSettings("SLIPWAY_TRAFFIC is row, so SLIPWAY_LISTEN must be HOST:PORT as well")
    return bool(word)


def _path(env: Mapping[str, str], name: str) -> Path | None:
    return Path(env[name]) if env.get(name) else None


def _descriptor(env: Mapping[str, str], name: str) -> int | None:
    text = env.get(name, "")
    if not text:
        return None
    if not text.isdecimal() or int(text) < 3:
        raise SocketUnavailable(
            f"{name} is {text!r}; it is the number of an inherited descriptor, 3 or more",
            variable=name,
            value=text,
        )
    return int(text)


def _need(value: str, variable: str, what: str) -> str:
    if not value:
        raise SettingMissing(f"{variable} is not set; set it to {what}", variable=variable)
    return value
