"""What both ways to run Helm share: laying values over each other, and one order of documents."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from pipelines.model.errors import BadInput

RENDER_SECONDS = 30.0
_BREAK = re.compile(r"^---[ \t]*(?:#.*)?$", re.MULTILINE)
_KIND = re.compile(r"^kind:\s*(\S+)", re.MULTILINE)
_NAME = re.compile(r"^metadata:\s*\n(?:^[ #].*\n)*?^  name:\s*(\S+)", re.MULTILINE)
_SAYS_SOMETHING = re.compile(r"^\s*[^\s#]", re.MULTILINE)
_TEST = re.compile(r"^\s+[\"']?helm\.sh/hook[\"']?:\s*[\"']?test", re.MULTILINE)
_NOISE = re.compile(r"^(Error: )?(execution error at )?")
_PLACE = re.compile(r"^- at '([^']*)': (.*)$")
_UNKNOWN = re.compile(r"additional properties (.*) not allowed")


def laid_over(values: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """As Helm lays one `--values` file over another: mappings by key, everything else replaced. A
    null stays: it takes the chart's own default away."""
    merged: dict[str, Any] = {}
    for layer in values:
        merged = _over(merged, layer)
    return merged


def _over(base: Mapping[str, Any], layer: Mapping[str, Any]) -> dict[str, Any]:
    merged = dict(base)
    for key, value in layer.items():
        old = merged.get(key)
        if isinstance(value, Mapping) and isinstance(old, Mapping):
            merged[key] = _over(old, value)
        else:
            merged[key] = value
    return merged


def as_json(given: Mapping[str, Any]) -> str:
    """What both ways hand to Helm. Raises BadInput for what JSON cannot say (a date, NaN)."""
    try:
        return json.dumps(given, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise BadInput(
            f"values for a chart hold what JSON cannot say: {error}",
            hint="put dates in quotes, and write numbers as numbers",
        ) from None


def documents(path: str, text: str) -> list[tuple[str, str]]:
    """(path, document) of one rendered template, without empty ones and without `helm test`."""
    return [
        (path, document.strip("\n").rstrip())
        for document in _BREAK.split(text)
        if _SAYS_SOMETHING.search(document) and not _TEST.search(document)
    ]


def assembled(found: Iterable[tuple[str, str]]) -> str:
    """One text of many documents, by template, kind and name: Helm's own order is that of an
    installation, differs between its versions, and a syncer has its own."""
    ordered = sorted(found, key=lambda item: (item[0], *_title(item[1]), item[1]))
    return "".join(f"---\n# Source: {path}\n{text}\n" for path, text in ordered)


def _title(text: str) -> tuple[str, str]:
    kind, name = _KIND.search(text), _NAME.search(text)
    return (kind[1] if kind else "", name[1] if name else "")


def refused(chart: str, message: str) -> BadInput:
    """Helm's message without what people do not need: `timing.waitSeconds: got string, want
    integer`, `image: unknown key 'foo'`."""
    lines = [line.strip() for line in message.strip().splitlines()]
    places = [found for line in lines if (found := _PLACE.match(line))]
    if places:
        words = "; ".join(sorted(_at(place[1], place[2]) for place in places))
    else:
        words = "; ".join(_NOISE.sub("", line) for line in lines if line and "--debug" not in line)
    return BadInput(
        f"chart {chart} refuses these values: {words}",
        hint=f"correct environments/*/values.yaml; the keys are in charts/{chart}/README.md",
    )


def _at(pointer: str, words: str) -> str:
    words = _UNKNOWN.sub(r"unknown key \1", words)
    return f"{pointer.strip('/').replace('/', '.')}: {words}" if pointer else words
