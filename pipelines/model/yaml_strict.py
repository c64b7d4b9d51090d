"""YAML as data: text in, plain values out, everything surprising refused.

Refused: more than 1 MB, several documents, tags, anchors and aliases (a few lines of them can
stand for gigabytes), duplicate keys, keys that are not text, depth over 40, NaN and infinity.
Dates stay text. Values are None, bool, int, float, str, list, dict: what JSON can say.
"""

from __future__ import annotations

import math
from typing import Any

import yaml

from pipelines.model.errors import BadInput

MAX_BYTES = 1_000_000
MAX_DEPTH = 40

_UNICODE_BREAKS = frozenset("\x85\u2028\u2029\ufeff")

_Base: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


class _KeyRefused(Exception):
    pass


class _Loader(_Base):  # type: ignore[misc]
    """Safe loader whose mappings refuse duplicate and non-text keys."""

    def construct_mapping(self, node: Any, deep: bool = False) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self.construct_object(key_node, deep=True)
            line = key_node.start_mark.line + 1
            if not isinstance(key, str):
                raise _KeyRefused(f"line {line}: key {key!r} is not text; put it in quotes")
            if key in found:
                raise _KeyRefused(f"line {line}: key {key!r} is there twice; remove one")
            found[key] = self.construct_object(value_node, deep=True)
        return found


def _without_timestamps() -> dict[str, list[tuple[str, Any]]]:
    """Dates stay the text they were written as."""
    return {
        first: [(tag, pattern) for tag, pattern in rules if not tag.endswith(":timestamp")]
        for first, rules in _Base.yaml_implicit_resolvers.items()
    }


_Loader.yaml_implicit_resolvers = _without_timestamps()
_Loader.add_constructor(
    "tag:yaml.org,2002:map", lambda loader, node: loader.construct_mapping(node, deep=True)
)


def load(text: str, file: str) -> Any:
    """The one document in `text`; None when it is empty. Raises BadInput naming `file`."""
    if len(text) > MAX_BYTES or len(text.encode("utf-8", "replace")) > MAX_BYTES:
        raise BadInput(
            f"{file}: larger than {MAX_BYTES:,} bytes", hint="data files of this size are a mistake"
        )
    try:
        _check_events(text, file)
        value = yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader
    except _KeyRefused as error:
        raise BadInput(f"{file}: {error}") from None
    except yaml.YAMLError as error:
        raise BadInput(f"{file}: not YAML: {_one_line(error)}", hint="correct the file") from None
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{file}: not YAML: {error}", hint="correct the file") from None
    _check_numbers(value, file, "")
    return value


def load_mapping(text: str, file: str) -> dict[str, Any]:
    """As `load`, for a file that must be a mapping; an empty file is an empty one."""
    value = load(text, file)
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise BadInput(
            f"{file}: a mapping is needed, found {type(value).__name__} {value!r:.60}",
            hint="write `key: value` lines",
        )
    return value


def dump(value: Any) -> str:
    """YAML text that `load` reads back as the same value, keys in the given order."""
    text = _dump(value, allow_unicode=True)
    # Written as they are, these would be read back as line breaks.
    return text if not _UNICODE_BREAKS & set(text) else _dump(value, allow_unicode=False)


def _dump(value: Any, *, allow_unicode: bool) -> str:
    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=allow_unicode, width=100)
    return text


def _check_events(text: str, file: str) -> None:
    """What must be known before anything is built from the text."""
    depth = documents = 0
    for event in yaml.parse(text, Loader=_Base):
        line = event.start_mark.line + 1 if event.start_mark else 0
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise BadInput(
                f"{file}: line {line}: anchors and aliases are refused",
                hint="write the value out where it is used",
            )
        if tag := getattr(event, "tag", None):
            raise BadInput(f"{file}: line {line}: tag {tag!r} is refused", hint="remove it")
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        elif isinstance(event, yaml.DocumentStartEvent):
            documents += 1
        if depth > MAX_DEPTH:
            raise BadInput(f"{file}: line {line}: nested deeper than {MAX_DEPTH} levels")
        if documents > 1:
            raise BadInput(f"{file}: line {line}: a second document", hint="one file, one document")


def _check_numbers(value: Any, file: str, path: str) -> None:
    if isinstance(value, dict):
        for key, item in value.items():
            _check_numbers(item, file, f"{path}.{key}" if path else key)
    elif isinstance(value, list):
        for position, item in enumerate(value):
            _check_numbers(item, file, f"{path}[{position}]")
    elif isinstance(value, float) and not math.isfinite(value):
        raise BadInput(f"{file}: {path}: {value} is not a number to work with")
    elif isinstance(value, bytes | set | tuple):
        raise BadInput(f"{file}: {path}: {type(value).__name__} is refused", hint="write text")


def _one_line(error: yaml.YAMLError) -> str:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    return f"line {mark.line + 1}: {problem}" if mark else str(problem)
