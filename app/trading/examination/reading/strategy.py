"""The check `forbidden calls`: every rule over every file of a strategy."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence
from pathlib import Path

from trading.examination.reading.calls import calls, texts
from trading.examination.reading.hindsight import hindsight
from trading.examination.reading.imports import imports, members
from trading.examination.reading.memory import memory
from trading.examination.reading.place import Place, Source
from trading.examination.verdict import Verdict, listed, not_run

FORBIDDEN, MEMORY, HINDSIGHT = "forbidden calls", "memory in the source", "hindsight in the source"
_RULES = {
    FORBIDDEN: (imports, members, calls, texts),
    MEMORY: (memory,),
    HINDSIGHT: (hindsight,),
}
_BYTES = 200_000
_BESIDE = {".md", ".typed"}
_IGNORED = "__pycache__"


def reading_checks(folder: Path, plugin: str) -> list[Verdict]:
    """Read all files of a strategy, run none. `folder` is its package."""
    try:
        sources, problems = _sources(folder, plugin)
        return [_verdict(name, sources, problems) for name in _RULES]
    except SyntaxError as error:
        why = f"{Path(error.filename or '').name}:{error.lineno}: {error.msg}"
    except (ValueError, RecursionError, MemoryError) as error:  # null bytes, endless nesting
        why = f"{type(error).__name__}: {error}"
    return [
        Verdict(FORBIDDEN, False, f"the source is no Python: {why}", 1),
        *(not_run(name, "the source is no Python") for name in (MEMORY, HINDSIGHT)),
    ]


def _verdict(name: str, sources: Sequence[Source], problems: Sequence[Place]) -> Verdict:
    found = [place for source in sources for rule in _RULES[name] for place in rule(source)]
    places = [*(problems if name == FORBIDDEN else ()), *sorted(found, key=_order)]
    words = f"none in {len(sources)} file{'s' if len(sources) > 1 else ''}"
    return listed(name, list(dict.fromkeys(map(str, places))), words, len(sources))


def _order(place: Place) -> tuple[str, int, str]:
    return place.file, place.line, place.words


def _sources(folder: Path, plugin: str) -> tuple[list[Source], list[Place]]:
    sources, problems = [], []
    for path in _files(folder):
        name = path.relative_to(folder).as_posix()
        if path.is_symlink():
            problems.append(Place(name, 0, "a symbolic link: a strategy is plain source files"))
        elif path.suffix == ".py":
            text = path.read_bytes()
            if len(text) > _BYTES:
                problems.append(Place(name, 0, f"{len(text)} bytes of source: packed knowledge"))
            else:
                sources.append(Source(plugin, name, ast.parse(text, name)))
        elif path.suffix not in _BESIDE:
            problems.append(Place(name, 0, "a file that is no source: a strategy carries no data"))
    return sources, problems


def _files(folder: Path) -> Iterator[Path]:
    for path in sorted(folder.rglob("*")):
        if _IGNORED not in path.parts and (path.is_file() or path.is_symlink()):
            yield path
