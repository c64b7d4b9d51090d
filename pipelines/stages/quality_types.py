"""mypy --strict over the whole area, by the target's configuration."""

from __future__ import annotations

import re
import secrets
import shutil
from contextlib import suppress
from pathlib import Path

from pipelines.model.check import Finding
from pipelines.stages.quality_area import Area, Bench, Part, judged, trouble

_SECONDS = 300.0
_ERROR = re.compile(r"^(.+?):(\d+): error: (.*?)(?:  \[([a-z0-9-]+)\])?$", re.MULTILINE)
_CHECKED = re.compile(r"(?:no issues found in|checked) (\d+) source files?")


def types_part(area: Area, bench: Bench) -> Part:
    """With the packages of head's own lock. Strict even where the configuration is not."""
    python = bench.workshop.environments.python(area.lock)
    kept = bench.workshop.kept / f"mypy-{area.name}" if bench.workshop.kept else None
    cache = bench.workshop.folder / f"mypy-{area.name}"
    _take(kept, cache)
    done = bench.workshop.programs.run(
        [
            *(bench.tools / "mypy", "--strict", "--config-file", area.config),
            *("--no-pretty", "--no-color-output", "--show-error-codes", "--hide-error-context"),
            *("--python-executable", python, "--cache-dir", cache),
        ],
        folder=area.root,
        seconds=_SECONDS,
    )
    findings = parse(done.out, area.prefix)
    checked = _CHECKED.search(done.out)
    if done.code == 2 and findings:  # not Python: nothing else was looked at
        return judged("types", area.name, findings, len(findings), "")
    if checked is None or done.code != bool(findings) or int(checked[1]) == 0:
        return trouble("types", area.name, "mypy", done)
    _give(cache, kept)
    return judged("types", area.name, findings, int(checked[1]), f"{checked[1]} files, strict")


def parse(out: str, prefix: str) -> list[Finding]:
    """`file:line: error: message  [code]`; notes are left out."""
    return [
        Finding(f"mypy/{code or 'error'}", message, path=prefix + file, line=int(line))
        for file, line, message, code in _ERROR.findall(out)
    ]


def _take(kept: Path | None, cache: Path) -> None:
    """mypy locks its cache; two checks at once each work on a copy."""
    with suppress(OSError):
        if kept is not None and kept.is_dir():
            shutil.copytree(kept, cache)


def _give(cache: Path, kept: Path | None) -> None:
    """Back in one step; who comes later wins."""
    if kept is None or not cache.is_dir():
        return
    new, old = (kept.with_name(f".{kept.name}.{secrets.token_hex(4)}") for _ in range(2))
    with suppress(OSError):
        kept.parent.mkdir(parents=True, exist_ok=True)
        shutil.copytree(cache, new)
        with suppress(FileNotFoundError):
            kept.rename(old)
        new.rename(kept)
    shutil.rmtree(old, ignore_errors=True)
    shutil.rmtree(new, ignore_errors=True)
