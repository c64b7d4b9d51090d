"""Results of stages by content: `<folder>/<key>/result.json` and its attachments beside it."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from pipelines.adapters.files import write_whole, writing
from pipelines.model.check import BROKEN, Attachment, StageResult
from pipelines.stages.report_json import stage_document, stage_from

KEEP = 500
RESULT = ".result.json"  # no attachment begins with a dot


class CheckCache:
    """`flows.check.Cache`. What cannot be read counts as not there; `broken` is never kept."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def find(self, key: str) -> StageResult | None:
        home = self._folder / key
        try:
            result = stage_from(json.loads((home / RESULT).read_text()))
            os.utime(home)
        except (OSError, ValueError):
            return None
        whole = all((home / a.name).is_file() for a in result.attachments)
        if result.status == BROKEN or not whole:
            return None
        return replace(result, attachments=_inside(home, result))

    def keep(self, key: str, result: StageResult) -> StageResult:
        if result.status == BROKEN:
            return replace(result, attachments=())
        home = self._folder / key
        making = self._folder / f".making-{os.getpid()}-{secrets.token_hex(4)}"
        with writing(self._folder):
            making.mkdir(parents=True)
            try:
                for attachment in result.attachments:
                    shutil.copy2(attachment.path, making / attachment.name)
                text = json.dumps(stage_document(result), ensure_ascii=False)
                write_whole(making / RESULT, text.encode("utf-8", "surrogateescape"))
                shutil.rmtree(home, ignore_errors=True)
                with suppress(OSError):  # somebody else was quicker with the same answer
                    making.rename(home)
            finally:
                shutil.rmtree(making, ignore_errors=True)
        self._prune()
        return replace(result, attachments=_inside(home, result))

    def _prune(self) -> None:
        found = sorted(self._folder.iterdir(), key=lambda path: -_used_at(path))
        for path in found[KEEP:]:
            if time.time() - _used_at(path) > 3600:
                shutil.rmtree(path, ignore_errors=True)


def _inside(home: Path, result: StageResult) -> tuple[Attachment, ...]:
    return tuple(Attachment(a.name, home / a.name) for a in result.attachments)


def _used_at(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
