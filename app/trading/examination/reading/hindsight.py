"""Knowledge of what happened written into the source: dates, years, tables of numbers, packed data.

A replay on truncated history cannot find it, because it is there before the first bar.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from trading.examination.reading.calls import _docstrings
from trading.examination.reading.place import Place, Source, dotted, numbers_below

_DAY = re.compile(r"(?:19|20)\d\d[-/.]?(?:0[1-9]|1[0-2])[-/.]?(?:0[1-9]|[12]\d|3[01])")
_MOMENTS = {"date", "datetime", "datetime.date", "datetime.datetime", "dt.date", "dt.datetime"}
_PARSERS = {"fromisoformat", "strptime", "fromtimestamp", "fromordinal", "utcfromtimestamp"}
_CALENDAR = {"year", "toordinal", "timestamp", "isoformat", "date"}
_MANY_NUMBERS = 40
_MANY_NUMBERS_IN_ALL = 250
_LONG_TEXT = 400
_LARGE_NUMBER = 10**12
_YEARS = range(1900, 2100)


def hindsight(source: Source) -> Iterator[Place]:
    documentation = _docstrings(source.tree)
    numbers = numbers_below(source.tree)
    if numbers > _MANY_NUMBERS_IN_ALL:
        yield Place(source.file, 0, f"{numbers} numbers in the source: packed knowledge")
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and id(node) not in documentation:
            yield from _constant(source, node)
        elif isinstance(node, ast.Call):
            yield from _moment(source, node)
        elif isinstance(node, ast.Compare):
            yield from _year(source, node)
        elif isinstance(node, ast.Tuple | ast.List | ast.Set | ast.Dict):
            yield from _table(source, node)


def _constant(source: Source, node: ast.Constant) -> Iterator[Place]:
    value = node.value
    if isinstance(value, bytes) and len(value) > 32:
        yield source.at(node, f"{len(value)} packed bytes")
    elif isinstance(value, str):
        if len(value) > _LONG_TEXT:
            yield source.at(node, f"a text of {len(value)} characters: packed knowledge")
        elif _DAY.search(value):
            yield source.at(node, f"the date {_DAY.findall(value)[0]} in the source")
    elif isinstance(value, int) and not isinstance(value, bool):
        if abs(value) >= _LARGE_NUMBER:
            yield source.at(node, "a number of 13 digits or more: packed knowledge")
        elif _DAY.fullmatch(str(value)):
            yield source.at(node, f"the date {value} in the source")


def _moment(source: Source, node: ast.Call) -> Iterator[Place]:
    name = dotted(node.func)
    constant = node.args and all(isinstance(a, ast.Constant) for a in node.args)
    if name in _MOMENTS and constant:
        yield source.at(node, f"the date {ast.unparse(node)} in the source")
    elif name.rpartition(".")[2] in _PARSERS:
        yield source.at(node, f"{name}() makes a date that is not of a bar")


def _year(source: Source, node: ast.Compare) -> Iterator[Place]:
    """`history.now.year == 2008` knows which year it is; month and weekday say nothing about it."""
    parts = [node.left, *node.comparators]
    asks = any(
        isinstance(inner, ast.Attribute) and inner.attr in _CALENDAR
        for part in parts
        for inner in ast.walk(part)
    )
    years = [
        inner.value
        for part in parts
        for inner in ast.walk(part)
        if isinstance(inner, ast.Constant)
        and isinstance(inner.value, int)
        and (inner.value in _YEARS or inner.value > 700_000)
    ]
    if asks and years:
        yield source.at(node, f"decides by the calendar: {ast.unparse(node)}")


def _table(source: Source, node: ast.Tuple | ast.List | ast.Set | ast.Dict) -> Iterator[Place]:
    count = numbers_below(node)
    if count > _MANY_NUMBERS:
        yield source.at(node, f"a table of {count} numbers: packed knowledge")
