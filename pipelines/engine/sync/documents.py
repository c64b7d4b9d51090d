"""Text of many YAML or JSON documents as plain values, quickly, with everything surprising refused.

Scalars mean what `kubectl` takes them for (YAML 1.1 without base 60; `1e3` is a number; dates stay
text). Refused: tags other than `!!str`, keys that are not text or there twice, merge keys, infinity
and NaN, depth over 100, aliases that make more of a text than it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from math import isfinite
from typing import Any, NoReturn

import yaml
from yaml import cyaml

from pipelines.model.errors import BadInput

MAX_BYTES = 50_000_000
MAX_DEPTH = 100
ALIAS_NODES = 10_000
"""Nodes that aliases may add to those that are written out."""

_TEXT = ("tag:yaml.org,2002:str", "!")
_NULL = frozenset(("", "~", "null", "Null", "NULL"))
_TRUE = frozenset(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"))
_FALSE = frozenset(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"))
_INT = re.compile(r"[-+]?(0[xX][0-9a-fA-F_]+|0[bB][01_]+|0[oO]?[0-7_]+|[0-9][0-9_]*)")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_SPACE = re.compile(r"[\ufeff \n\r\t]*")
_HALF = re.compile(r"\\u[dD][89a-fA-F]")
_ENDLESS = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")


@dataclass(frozen=True, slots=True)
class Document:
    """`number` and `line` count from 1."""

    number: int
    line: int
    value: Any


_Parser: Any = vars(cyaml)["CParser"]


class _Nodes(_Parser):  # type: ignore[misc]
    """libyaml's parser; a node's tag is empty where the text has none.

    It composes nodes by recursion in C, where no limit but the end of the stack would stop it.
    """

    depth = 0

    def resolve(self, kind: Any, value: Any, implicit: Any) -> str:
        return ""

    def descend_resolver(self, current_node: Any, current_index: Any) -> None:
        self.depth += 1
        if self.depth > MAX_DEPTH + 1:  # a scalar at the bottom is no level
            raise _TooDeep(current_node.start_mark.line + 1)

    def ascend_resolver(self) -> None:
        self.depth -= 1


class _TooDeep(Exception):
    """The argument is the line."""


def read(text: str, origin: str, *, strict: bool = True) -> Iterator[Document]:
    """Documents that are not empty, in order. Raises BadInput naming `origin`, document and line.

    Of a key that is there twice the last counts where it need not be `strict`, as for `kubectl`.
    """
    if text.lstrip("\ufeff \n\r\t")[:1] in ("{", "["):
        found = _json(text, origin)
        if found:
            yield from found
            return
    yield from _yaml(text, origin, strict=strict)


def _json(text: str, origin: str) -> list[Document]:
    """Documents one after the other, as `kubectl` takes them, without `---` between them.

    Empty: not (clean) JSON; YAML, of which JSON is a part, then says where it is wrong.
    """

    def endless(word: str) -> NoReturn:
        raise BadInput(f"{origin}: {word} is not a number to work with", hint="put it in quotes")

    def finite(digits: str) -> float:  # 1e999 is no constant, but endless as well
        value = float(digits)
        return value if isfinite(value) else endless(digits)

    decoder = json.JSONDecoder(
        object_pairs_hook=_unique, parse_constant=endless, parse_float=finite
    )
    found: list[Document] = []
    place = _after_space(text, 0)
    try:
        while place < len(text):
            value, end = decoder.raw_decode(text, place)
            line = text.count("\n", 0, place) + 1
            if _levels(value) > MAX_DEPTH or not _writable(text, place, end, value):
                return []
            found.append(Document(len(found) + 1, line, value))
            place = _after_space(text, end)
    except (ValueError, RecursionError):
        return []
    return found


def _after_space(text: str, place: int) -> int:
    space = _SPACE.match(text, place)
    return space.end() if space else place


def _levels(value: Any) -> int:
    """How deep lists and mappings lie in each other."""
    levels, row = 0, [value]
    while row := [one for one in row if isinstance(one, dict | list)]:
        levels += 1
        row = [inside for one in row for inside in (one.values() if isinstance(one, dict) else one)]
    return levels


def _writable(text: str, start: int, end: int, value: Any) -> bool:
    """Half a character, which only JSON can say (`\\ud800`), can be neither shown nor sent."""
    if not _HALF.search(text, start, end):
        return True
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError
    return found


def _yaml(text: str, origin: str, *, strict: bool) -> Iterator[Document]:
    number = 0
    builder = _Builder(origin, len(text) + ALIAS_NODES, strict=strict)
    try:
        nodes = _Nodes(text)
        while nodes.check_node():
            node: Any = nodes.get_node()
            number += 1
            builder.number = number
            value = builder.build(node, 0)
            if value is not None:
                yield Document(number, node.start_mark.line + 1, value)
    except _TooDeep as error:
        raise _deep(f"{origin}: document {number + 1}, line {error.args[0]}") from None
    except yaml.YAMLError as error:
        raise _refusal(error, text, f"{origin}: document {number + 1}") from None


def _deep(where: str) -> BadInput:
    return BadInput(f"{where}: nested too deeply", hint=f"at most {MAX_DEPTH} levels")


def _refusal(error: yaml.YAMLError, text: str, where: str) -> BadInput:
    mark = getattr(error, "problem_mark", None)
    problem = getattr(error, "problem", None) or str(error).splitlines()[0]
    if not mark:
        return BadInput(f"{where}: not YAML: {problem}", hint="correct the file")
    line = text.splitlines()[mark.line : mark.line + 1]
    tab = bool(line) and "\t" in line[0]
    return BadInput(
        f"{where}, line {mark.line + 1}: not YAML: {'a tab: ' if tab else ''}{problem}",
        hint="YAML is indented with spaces, never with tabs" if tab else "correct the file",
    )


class _Builder:
    """Values out of nodes. Scalars repeat a lot in manifests, so each is understood once."""

    def __init__(self, origin: str, budget: int, *, strict: bool) -> None:
        self.origin, self.budget, self.number = origin, budget, 0
        self.strict = strict
        self._plain: dict[str, Any] = {}

    def build(self, node: Any, depth: int) -> Any:
        self.budget -= 1
        kind = node.id
        if kind == "scalar":
            return self._scalar(node)
        if self.budget < 0:
            self._refuse(node, "aliases make too much of it", "write the values out")
        if depth >= MAX_DEPTH:
            where = f"{self.origin}: document {self.number}, line {node.start_mark.line + 1}"
            raise _deep(where)
        if node.tag:
            self._refuse(node, f"tag {node.tag!r} is refused", "remove it")
        if kind == "sequence":
            return [self.build(item, depth + 1) for item in node.value]
        return self._mapping(node, depth + 1)

    def _mapping(self, node: Any, depth: int) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = self._scalar(key_node) if key_node.id == "scalar" else None
            if not isinstance(key, str):
                written = repr(key_node.value) if key_node.id == "scalar" else f"a {key_node.id}"
                self._refuse(key_node, f"key {written:.60} is not text", "put it in quotes")
            if key in found and self.strict:
                self._refuse(key_node, f"key {key!r} is there twice", "remove one")
            if key == "<<":
                self._refuse(key_node, "merge keys are refused", "write the values out")
            found[key] = self.build(value_node, depth)
        return found

    def _scalar(self, node: Any) -> Any:
        text = node.value
        if node.tag:
            if node.tag not in _TEXT:
                self._refuse(node, f"tag {node.tag!r} is refused", "remove it, or use quotes")
            return text
        if node.style:
            return text
        try:
            return self._plain[text]
        except KeyError:
            if _ENDLESS.fullmatch(text):
                self._refuse(node, f"{text} is not a number to work with", "put it in quotes")
            value = self._plain[text] = _plain(text)
            return value

    def _refuse(self, node: Any, what: str, hint: str) -> NoReturn:
        where = f"{self.origin}: document {self.number}, line {node.start_mark.line + 1}"
        raise BadInput(f"{where}: {what}", hint=hint)


def _plain(text: str) -> Any:
    """What a scalar without quotes stands for."""
    if text in _NULL:
        return None
    if text in _TRUE or text in _FALSE:
        return text in _TRUE
    if _INT.fullmatch(text):
        return _whole(text)
    if _FLOAT.fullmatch(text):
        return _broken(text)
    return text


def _whole(text: str) -> int | float | str:
    digits = text.replace("_", "")
    bare = digits.lstrip("+-")
    try:
        if len(bare) > 1 and bare[0] == "0" and bare.isdigit():
            return int(digits, 8)
        return int(digits, 0)
    except ValueError:  # 08 is no octal number; 0x has no digit; 5,000 digits
        return _broken(bare) if bare.isdigit() else text


def _broken(text: str) -> float | str:
    value = float(text)
    return value if value not in (float("inf"), float("-inf")) else text
