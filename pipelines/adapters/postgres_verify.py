"""Is a base backup whole? The checks of pg_verifybackup, made here.

(The wheel's own pg_verifybackup ends with a segmentation fault on every manifest, a good one too.)
Checked: the manifest's checksum over itself; every file it names by size and SHA-256; no file it
does not name; and the write-ahead log the backup needs, read record by record by pg_waldump.
"""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

from pipelines.adapters.postgres_server import clean_environment, postgres
from pipelines.adapters.process import run_limited

WALDUMP_SECONDS = 60.0
LARGEST_MANIFEST_BYTES = 64 * 1024 * 1024
NOT_IN_MANIFEST = {"backup_manifest", "postgresql.auto.conf", "recovery.signal", "standby.signal"}


def verify(data: Path) -> str:
    """ "" when whole, else the first problem in words."""
    try:
        manifest = read_manifest(data / "backup_manifest")
        files = {entry["Path"]: entry for entry in manifest["Files"]}
        return (
            missing_or_unknown(data, set(files))
            or next(filter(None, (check_file(data, entry) for entry in files.values())), "")
            or next(filter(None, (check_wal(data, span) for span in manifest["WAL-Ranges"])), "")
        )
    except OSError as error:
        return f"{error.filename}: {error.strerror}"
    except (ValueError, KeyError, TypeError) as error:
        return f"backup_manifest is damaged: {error}"


def read_manifest(path: Path) -> dict[str, Any]:
    if path.stat().st_size > LARGEST_MANIFEST_BYTES:
        raise ValueError("too large")
    content = path.read_bytes()
    manifest: dict[str, Any] = json.loads(content)
    head = content[: content.rindex(b'"Manifest-Checksum"')]
    if hashlib.sha256(head).hexdigest() != manifest["Manifest-Checksum"]:
        raise ValueError("its own checksum does not match")
    return manifest


def missing_or_unknown(data: Path, named: set[str]) -> str:
    found = {
        str(path.relative_to(data))
        for path in data.rglob("*")
        if not path.is_dir() and path.relative_to(data).parts[0] != "pg_wal"
    } - NOT_IN_MANIFEST
    if lost := sorted(name for name in named if not (data / name).is_file()):
        return f"{lost[0]} is missing ({len(lost)} in all)"
    if unknown := sorted(found - named):
        return f"{unknown[0]} is not in the manifest"
    return ""


def check_file(data: Path, entry: dict[str, Any]) -> str:
    path = data / entry["Path"]
    size = path.stat().st_size
    if size != entry["Size"]:
        return f"{entry['Path']} has {size} bytes, not {entry['Size']}"
    if entry["Checksum-Algorithm"] != "SHA256":
        return f"{entry['Path']} has no SHA-256 in the manifest"
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    return "" if digest == entry["Checksum"] else f"{entry['Path']} has another checksum"


def check_wal(data: Path, span: dict[str, Any]) -> str:
    code, output, errors = run_limited(
        postgres(
            "pg_waldump",
            "--quiet",
            f"--path={data / 'pg_wal'}",
            f"--timeline={span['Timeline']}",
            f"--start={span['Start-LSN']}",
            f"--end={span['End-LSN']}",
        ),
        clean_environment(),
        WALDUMP_SECONDS,
    )
    if code == 0 and not errors.strip():
        return ""
    return f"write-ahead log: {(errors + output).strip() or f'pg_waldump ended with {code}'}"
