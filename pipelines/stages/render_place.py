"""Where in the tree stands what a chart refused: Helm's words, as findings with file and line."""

from __future__ import annotations

import re
from collections.abc import Sequence

import yaml

from pipelines.model.check import Finding, Tree
from pipelines.model.errors import BadInput

_UNKNOWN = re.compile(r"unknown key (.*)")
_TEMPLATE = re.compile(r"(?<![\w./-])([\w.-]+/templates/[\w./-]+)(?::(\d+))?")
_FILE = re.compile(r"cannot load (values\.yaml|Chart\.yaml|values\.schema\.json)")
_LINE = re.compile(r"\bline (\d+)")
_CAME_OF = re.compile(r"^(charts/[\w./-]+): ")
_HEAD = re.compile(r"^chart (\S+) refuses these values: (?:template: )?")


def refusals(error: BadInput, chart: str, environment: str, tree: Tree) -> list[Finding]:
    """One finding for each key that a schema refuses, else one for the whole message."""
    words = _HEAD.sub("", error.message)
    path, line = _place(words, chart)
    if words != error.message and not line and path == f"charts/{chart}":  # no file: the schema
        found = {
            finding
            for said in words.split("; ")
            for finding in _of_schema(said, chart, environment, tree)
        }
        return sorted(found, key=lambda f: (f.path, f.line, f.message))
    words = words.removeprefix(f"{path}: ")
    hint = "" if _HEAD.match(error.message) else error.hint
    return [
        Finding(
            "render/chart", f"{environment}: {words}", path=path, line=line,
            hint=hint or f"helm template charts/{chart} -f environments/base/values.yaml"
            f" -f environments/{environment}/values.yaml",
        )
    ]  # fmt: skip


def without_slots(error: BadInput, environment: str, chart: str, tree: Tree) -> Finding:
    """Where values ask for a strategy that Slipway cannot release."""
    path, line = _of_key(["strategy"], chart, environment, tree)
    return Finding("render/strategy", error.message, path=path, line=line, hint=error.hint)


def _of_schema(said: str, chart: str, environment: str, tree: Tree) -> list[Finding]:
    """`timing.waitSeconds: got string, want integer`, `image: unknown key 'foo'`."""
    dotted, colon, words = said.partition(": ")
    if not colon:
        dotted, words = "", said
    keys = dotted.split(".") if dotted else []
    unknown = _UNKNOWN.fullmatch(words)
    paths = [[*keys, name] for name in re.findall(r"'([^']*)'", unknown[1])] if unknown else [keys]
    findings = []
    for one in paths:
        file, line = _of_key(one, chart, environment, tree)
        what = "unknown key" if unknown else words
        findings.append(
            Finding(
                "render/schema", f"{'.'.join(one) or 'values'}: {what} (charts/{chart})",
                path=file, line=line,
                hint=f"correct it, or change charts/{chart}/values.schema.json and what reads it",
            )
        )  # fmt: skip
    return findings


def _of_key(keys: Sequence[str], chart: str, environment: str, tree: Tree) -> tuple[str, int]:
    """The file that has the last word about a key, and its line; the schema when none says it."""
    for file in (
        f"environments/{environment}/values.yaml",
        "environments/base/values.yaml",
        f"charts/{chart}/values.yaml",
    ):
        line = line_of(tree.text(file) or "", keys)
        if line:
            return file, line
    return f"charts/{chart}/values.schema.json", 0


def line_of(text: str, keys: Sequence[str]) -> int:
    """The line of a dotted path in YAML, 0 when it is not there."""
    try:
        node = yaml.compose(text, yaml.SafeLoader)
    except yaml.YAMLError:
        return 0
    line = 0
    for key in keys:
        if isinstance(node, yaml.SequenceNode) and key.isdigit() and int(key) < len(node.value):
            node = node.value[int(key)]
            line = node.start_mark.line + 1
            continue
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        found = next(((name, value) for name, value in pairs if name.value == key), None)
        if found is None:
            return 0
        line, node = found[0].start_mark.line + 1, found[1]
    return line


def _place(words: str, chart: str) -> tuple[str, int]:
    if came_of := _CAME_OF.match(words):
        return came_of[1], 0
    if template := _TEMPLATE.search(words):
        return f"charts/{template[1]}", int(template[2] or 0)
    if file := _FILE.search(words):
        line = _LINE.search(words)
        return f"charts/{chart}/{file[1]}", int(line[1]) if line else 0
    return (f"charts/{chart}", 0) if chart else ("", 0)
