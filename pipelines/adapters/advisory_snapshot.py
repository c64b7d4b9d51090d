"""Reads a snapshot of advisories: a .tgz with OSV records in YAML, `vulns/<package>/<id>.yaml`.

Nothing is unpacked onto the disk and nothing is kept between two checks: seven thousand records are
searched as text for the packages in question, and only those that name one are parsed.
"""

from __future__ import annotations

import hashlib
import io
import re
import tarfile
import zlib
from collections.abc import Collection, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import yaml

from pipelines.model.advisory import Advisory, Snapshot
from pipelines.model.errors import BadInput

LARGEST_BYTES = 600_000_000  # unpacked; the whole database had 40 MB in 2026
ECOSYSTEM = "PyPI"
EVENTS = ("introduced", "fixed", "last_affected")
BELIEVED_APART = timedelta(days=30)

_MODIFIED = re.compile(rb"^modified:\s*['\"]?([0-9][0-9T:.Z+ -]+)", re.MULTILINE)
_NAME = re.compile(rb"""\bname["']?\s*:\s*["']?([A-Za-z0-9][A-Za-z0-9._-]*)""")
_Loader: Any = getattr(
    yaml, "CBaseLoader", yaml.BaseLoader
)  # every scalar stays text: 4.10, not 4.1
_NOTHING = ("", "null", "~", None)


def read_snapshot(file: Path, packages: Collection[str]) -> Snapshot:
    """What the snapshot says about these packages. Raises BadInput when it is not one, is damaged, or
    holds a record about one of them that cannot be understood."""
    try:
        packed = file.read_bytes()
    except OSError as error:
        raise BadInput(
            f"{file}: the snapshot of advisories cannot be read: {error.strerror}",
            hint="name a .tgz of OSV records: slipway check --advisories FILE",
        ) from None
    wanted = {normalised(name) for name in packages}
    found: list[Advisory] = []
    dates: list[datetime] = []
    records = 0
    for path, content in _records(packed, file):
        records += 1
        dates += _date(content)
        if wanted & _names(path, content):
            found += _parse(content, path, wanted)
    if not dates:
        raise BadInput(
            f"{file}: no advisory in it that says when it was changed ({records} records)",
            hint="it must hold vulns/<package>/<id>.yaml",
        )
    newest, set_aside = believable(dates)
    return Snapshot(
        advisories=tuple(sorted(found, key=lambda a: (a.package, a.id))),
        records=records,
        modified=newest.isoformat(timespec="seconds"),
        set_aside=set_aside,
        sha256=hashlib.sha256(packed).hexdigest(),
    )


def installed_snapshot(state: Path) -> Path | None:
    """The snapshot that an installation keeps, `state/advisories/*.tgz`; of several the one with the
    newest record. Raises as `read_snapshot`."""
    files = sorted((state / "advisories").glob("*.tgz"))
    if len(files) < 2:
        return files[0] if files else None
    return max(files, key=lambda file: read_snapshot(file, ()).modified)


def believable(dates: Collection[datetime]) -> tuple[datetime, int]:
    """The newest date, and how many were set aside before.

    Single records carry a mistyped year; they would make a snapshot look fresh long after it is not.
    So what lies more than 30 days after the newest thousandth of all records does not count.
    """
    ordered = sorted(dates, reverse=True)
    limit = ordered[len(ordered) // 1000] + BELIEVED_APART
    kept = [date for date in ordered if date <= limit]
    return kept[0], len(ordered) - len(kept)


def normalised(name: str) -> str:
    """PEP 503."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _records(packed: bytes, file: Path) -> Iterator[tuple[str, bytes]]:
    """(path, content) of every record. The check sum of the archive is verified before."""
    unzip = zlib.decompressobj(wbits=31)
    try:
        plain = unzip.decompress(packed, LARGEST_BYTES)
        if unzip.unconsumed_tail:
            raise BadInput(
                f"{file}: more than {LARGEST_BYTES:,} bytes unpacked; no snapshot is so large"
            )
        if not unzip.eof:
            raise BadInput(f"{file}: the file ends too early", hint="fetch the snapshot again")
        with tarfile.open(fileobj=io.BytesIO(plain), mode="r:") as archive:
            for member in archive:
                parts = member.name.split("/")
                if not member.isfile() or "vulns" not in parts or not parts[-1].endswith(".yaml"):
                    continue
                content = archive.extractfile(member)
                yield "/".join(parts[-2:]), content.read() if content else b""
    except (zlib.error, tarfile.TarError) as error:
        raise BadInput(
            f"{file}: not a readable .tgz of advisories: {error}", hint="fetch the snapshot again"
        ) from None


def _date(content: bytes) -> list[datetime]:
    found = _MODIFIED.search(content)
    try:
        moment = datetime.fromisoformat(found[1].decode().strip()) if found else None
    except ValueError:
        return []
    if moment is None:
        return []
    return [moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)]


def _names(path: str, content: bytes) -> set[str]:
    """Every package that the record may be about; rather one too many."""
    return {normalised(path.split("/")[0])} | {
        normalised(name.decode()) for name in _NAME.findall(content)
    }


def _parse(content: bytes, path: str, wanted: Collection[str]) -> list[Advisory]:
    try:
        record = yaml.load(content, Loader=_Loader)  # noqa: S506 - builds text, lists and mappings
        affected = [a for a in record["affected"] if _about(a["package"], wanted)]
        return [_advisory(record, entry) for entry in affected]
    except (yaml.YAMLError, KeyError, TypeError, AttributeError, ValueError) as error:
        raise BadInput(
            f"advisory {path}: cannot be understood ({type(error).__name__}: {error})",
            hint="fetch the snapshot again; a record about one of our packages is not skipped",
        ) from None


def _about(package: Mapping[str, str], wanted: Collection[str]) -> bool:
    return package["ecosystem"] == ECOSYSTEM and normalised(package["name"]) in wanted


def _advisory(record: Mapping[str, Any], entry: Mapping[str, Any]) -> Advisory:
    ranges = [r for r in _list(entry, "ranges") if r["type"] in ("ECOSYSTEM", "SEMVER")]
    text = record.get("summary") or record.get("details") or ""
    return Advisory(
        id=_text(record["id"]),
        package=normalised(entry["package"]["name"]),
        aliases=tuple(sorted(_text(alias) for alias in _list(record, "aliases"))),
        summary=" ".join(_text(text).split())[:160],
        ranges=tuple(_events(r["events"]) for r in ranges),
        versions=tuple(_text(version) for version in _list(entry, "versions")),
        withdrawn=record.get("withdrawn") not in _NOTHING,
    )


def _events(events: Any) -> tuple[tuple[str, str], ...]:
    return tuple(
        (kind, _text(value)) for event in events for kind, value in event.items() if kind in EVENTS
    )


def _list(mapping: Mapping[str, Any], key: str) -> list[Any]:
    value = mapping.get(key)
    if value in _NOTHING:
        return []
    if not isinstance(value, list):
        raise ValueError(f"{key} is not a list")
    return value


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise ValueError(f"{value!r:.40} is not text")
    return value
