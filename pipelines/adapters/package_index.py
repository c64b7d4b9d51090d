"""Asks the package index that this machine is configured for what is known against packages.

`<index>/pypi/<name>/json` speaks of a package's newest release only. Which index that is follows from
the settings of uv and pip; no address stands in the code.
"""

from __future__ import annotations

import configparser
import ipaddress
import json
import os
import ssl
import sys
import tomllib
from collections.abc import Collection, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Event
from typing import Any
from urllib.parse import urlsplit

import httpx

from pipelines.adapters.advisory_snapshot import normalised
from pipelines.model.advisory import IndexRecord
from pipelines.model.errors import Unavailable

ANSWER_SECONDS = 10.0
LARGEST_ANSWER_BYTES = 40_000_000
AT_ONCE = 8
_HINT = "audit against a snapshot instead: slipway check --advisories FILE"


def ask_index(packages: Collection[str]) -> Mapping[str, IndexRecord | str]:
    """For every package its record, or in words why there is none. Raises Unavailable when the index
    does not answer, is switched off, or would be asked in plain text."""
    base = json_base(index_url(os.environ))
    stopped = Event()
    with httpx.Client(
        verify=certificates(os.environ), timeout=ANSWER_SECONDS, follow_redirects=True
    ) as client:

        def ask(name: str) -> IndexRecord | str:
            if stopped.is_set():
                return "not asked any more"
            try:
                return _record(client, f"{base}/pypi/{name}/json", name)
            except httpx.HTTPError:
                stopped.set()
                raise

        names = sorted({normalised(name) for name in packages})
        try:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                return dict(zip(names, pool.map(ask, names), strict=True))
        except httpx.HTTPError as error:
            raise Unavailable(
                f"the package index does not answer ({type(error).__name__})", hint=_HINT
            ) from None


def index_url(variables: Mapping[str, str]) -> str:
    """The default index of uv or else of pip on this machine. Raises Unavailable where indexes are
    switched off, or none is configured."""
    for name in ("UV_NO_INDEX", "UV_OFFLINE", "PIP_NO_INDEX"):
        if variables.get(name, "").lower() in ("1", "true", "yes", "on"):
            raise Unavailable(f"{name} is set: no package index may be asked", hint=_HINT)
    for name in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL"):
        if value := variables.get(name, "").strip():
            return _without_name(value)
    configured = [*_uv_files(variables), *_pip_values(variables, "index-url")]
    if not configured:
        raise Unavailable(
            "no package index is configured for uv or pip, so none is asked",
            hint=f"{_HINT}; or set UV_DEFAULT_INDEX to the index your packages come from",
        )
    return _without_name(configured[0])


def json_base(url: str) -> str:
    """Where the JSON records lie for a simple index. Raises Unavailable for plain HTTP to another
    machine: anybody on the way could answer that all is well."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "https" and not (parts.scheme == "http" and _is_loopback(host)):
        raise Unavailable(
            f"the package index is configured as {parts.scheme or 'no'}:// address, https is needed",
            hint=_HINT,
        )
    return url.split("?")[0].rstrip("/").removesuffix("/simple").rstrip("/")


def certificates(variables: Mapping[str, str]) -> ssl.SSLContext | bool:
    """The authorities that pip was told to trust, else those of the HTTP client."""
    named = [variables.get(n, "") for n in ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE")]
    for file in filter(None, [*named, *_pip_values(variables, "cert")]):
        if Path(file).is_file():
            return ssl.create_default_context(cafile=file)
    return True


def _record(client: httpx.Client, url: str, name: str) -> IndexRecord | str:
    content = b""
    with client.stream("GET", url, headers={"Accept": "application/json"}) as answer:
        if answer.status_code != 200:
            return f"the package index answered {answer.status_code}"
        for part in answer.iter_bytes():
            content += part
            if len(content) > LARGEST_ANSWER_BYTES:
                return f"the package index sent more than {LARGEST_ANSWER_BYTES:,} bytes"
    try:
        return parse_record(json.loads(content), name)
    except (ValueError, RecursionError):
        return "the package index answered something that is not JSON"


def parse_record(record: Any, name: str) -> IndexRecord | str:
    """The record as far as it matters; in words what is wrong with it."""
    try:
        info = record["info"]
        newest, yanked = info["version"], info.get("yanked", False)
        if normalised(info["name"]) != name:
            return f"the package index answered about {info['name']!r:.60}"
        listed = record.get("vulnerabilities")
        if not isinstance(newest, str) or not isinstance(yanked, bool):
            return "the package index answered something that is no record of a package"
        if listed is None:
            return IndexRecord(newest, yanked, None)
        known = {
            str(entry["id"]): tuple(str(alias) for alias in entry.get("aliases") or ())
            for entry in listed
            if not entry.get("withdrawn")
        }
        return IndexRecord(newest, yanked, known)
    except (KeyError, TypeError, AttributeError):
        return "the package index answered something that is no record of a package"


def _without_name(value: str) -> str:
    """uv allows `name=https://…`."""
    head, equals, tail = value.partition("=")
    return tail if equals and "://" not in head else value


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _uv_files(variables: Mapping[str, str]) -> Iterator[str]:
    """Default indexes named by uv's own files."""
    home = Path(variables.get("XDG_CONFIG_HOME") or Path.home() / ".config")
    named = variables.get("UV_CONFIG_FILE")
    for file in [Path(named)] if named else [home / "uv" / "uv.toml", Path("/etc/uv/uv.toml")]:
        try:
            settings = tomllib.loads(file.read_text("utf-8"))
        except (OSError, ValueError):
            continue
        defaults = [i["url"] for i in settings.get("index", []) if i.get("default") and "url" in i]
        pip = settings.get("pip", {})
        yield from filter(None, [*defaults, settings.get("index-url"), pip.get("index-url")])


def _pip_values(variables: Mapping[str, str], key: str) -> Iterator[str]:
    """Values of a key in pip's files, the nearest file first."""
    home = Path.home()
    config = Path(variables.get("XDG_CONFIG_HOME") or home / ".config")
    files = [
        Path(variables.get("PIP_CONFIG_FILE") or os.devnull),
        Path(sys.prefix) / "pip.conf",
        config / "pip" / "pip.conf",
        home / ".pip" / "pip.conf",
        Path("/etc/pip.conf"),
    ]
    for file in files:
        parser = configparser.RawConfigParser()
        try:
            parser.read(file, "utf-8")
        except (configparser.Error, UnicodeDecodeError):
            continue
        for section in ("install", "global"):
            if value := parser.get(section, key, fallback="").strip():
                yield value
