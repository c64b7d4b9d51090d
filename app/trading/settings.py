"""What the process is told by its environment variables. Light: imports neither YAML nor pydantic.

Secrets are never in a variable: `SLIPWAY_TOKEN_FILE` names a file, and the database URL names a
`passfile`. What people decide about an environment is in values.yaml, read by `values()`.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

from trading.errors import InvalidSettings, SettingMissing, SocketUnavailable, TokenFileUnsafe

if TYPE_CHECKING:
    from trading.values import Values

SLOTS = ("blue", "green")
_TOKEN_BYTES_LIMIT = 4096
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{16,}")  # what a bearer token may be made of (RFC 6750)
# Neither follow a symbolic link nor wait for the writer of a pipe.
_OPEN_FLAGS = os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW | os.O_NONBLOCK


@dataclass(frozen=True, slots=True)
class Settings:
    """One field for each variable; empty or None where it is not set."""

    environment: str = "dev"
    slot: str = "blue"
    release: str = "unreleased"
    database_url: str = ""
    token_file: Path | None = None
    values_file: Path | None = None
    venue_url: str = ""
    data_dir: Path | None = None
    traffic_file: Path | None = None
    live_fd: int | None = None
    slot_fd: int | None = None
    source_commit: str = ""
    source_author: str = ""

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> Settings:
        """Read all `SLIPWAY_*` variables. Raises `InvalidSettings`, `SocketUnavailable`."""
        env = os.environ if environ is None else environ
        slot = env.get("SLIPWAY_SLOT", "blue")
        if slot not in SLOTS:
            raise InvalidSettings(f"SLIPWAY_SLOT is {slot!r}; it is blue or green", slot=slot)
        return cls(
            environment=env.get("SLIPWAY_ENVIRONMENT", "dev"),
            slot=slot,
            release=env.get("SLIPWAY_RELEASE", "unreleased"),
            database_url=env.get("SLIPWAY_DATABASE_URL", ""),
            token_file=_path(env, "SLIPWAY_TOKEN_FILE"),
            values_file=_path(env, "SLIPWAY_VALUES"),
            venue_url=env.get("SLIPWAY_VENUE_URL", "").rstrip("/"),
            data_dir=_path(env, "SLIPWAY_DATA_DIR"),
            traffic_file=_path(env, "SLIPWAY_TRAFFIC_FILE"),
            live_fd=_descriptor(env, "SLIPWAY_LIVE_FD"),
            slot_fd=_descriptor(env, "SLIPWAY_SLOT_FD"),
            source_commit=env.get("SLIPWAY_SOURCE_COMMIT", ""),
            source_author=env.get("SLIPWAY_SOURCE_AUTHOR", ""),
        )

    def need_database_url(self) -> str:
        """The libpq URI. Raises `SettingMissing`."""
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
    """The token in `path`, which must be a plain file that only its owner can read."""
    try:
        with os.fdopen(os.open(path, _OPEN_FLAGS), "rb") as file:
            mode = os.fstat(file.fileno()).st_mode
            content = file.read(_TOKEN_BYTES_LIMIT + 1)
    except OSError as error:
        raise TokenFileUnsafe(
            f"token file {path} cannot be read: {error.strerror}", path=path
        ) from error
    if not stat.S_ISREG(mode):
        raise TokenFileUnsafe(f"token file {path} is not a plain file", path=path)
    if mode & 0o077:
        raise TokenFileUnsafe(
            f"token file {path} has mode {mode & 0o777:04o}; run: chmod 600 {path}",
            path=path,
            mode=f"{mode & 0o777:04o}",
        )
    token = content.decode("ascii", errors="replace").strip()
    if len(content) > _TOKEN_BYTES_LIMIT or not _TOKEN.fullmatch(token):
        raise TokenFileUnsafe(
            f"token file {path} must hold one line of 16 or more of A-Z a-z 0-9 . _ ~ + / = -",
            path=path,
        )
    return token


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
