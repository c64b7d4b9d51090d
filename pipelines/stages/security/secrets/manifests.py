"""Secrets in Kubernetes manifests: what needs more than one line to be seen.

Works on lines, not on parsed YAML: templates are no YAML, and of a commit only the added lines are
known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from pipelines.stages.security.secrets.patterns import NAMED_SO, placeholder

ENV_RULE = "secret/kubernetes-env"
DATA_RULE = "secret/kubernetes-secret"

_NAME = re.compile(rf"^\s*(?:-\s*)?name:\s*['\"]?{NAMED_SO}['\"]?\s*$", re.IGNORECASE)
_VALUE = re.compile(r"^\s*value:\s*(?P<secret>\S.*?)\s*$")
_FLOW = re.compile(
    rf"\{{\s*name:\s*['\"]?{NAMED_SO}['\"]?\s*,\s*value:\s*(?P<secret>[^,}}]+)", re.IGNORECASE
)
_KIND = re.compile(r"^kind:\s*['\"]?(?P<kind>\w+)['\"]?\s*(?:#.*)?$")
_DATA = re.compile(r"^(?:data|stringData):\s*(?P<flow>\{.*)?$")
_ENTRY = re.compile(r"^\s+['\"]?(?P<key>[A-Za-z0-9._-]+)['\"]?:\s*(?P<secret>\S.*?)\s*$")
_BLOCK = ("|", ">")


def find(lines: Sequence[tuple[int, str]]) -> Iterator[tuple[str, int, str]]:
    """(rule, line, secret) in the numbered lines of one file."""
    yield from _environment(lines)
    yield from _secret_objects(lines)


def _environment(lines: Sequence[tuple[int, str]]) -> Iterator[tuple[str, int, str]]:
    named = False
    for number, text in lines:
        flow = _FLOW.search(text)
        if flow and not placeholder(flow["secret"].strip()):
            yield ENV_RULE, number, _bare(flow["secret"])
        value = _VALUE.match(text)
        if named and value and not placeholder(_bare(value["secret"])):
            yield ENV_RULE, number, _bare(value["secret"])
        named = bool(_NAME.match(text))


def _secret_objects(lines: Sequence[tuple[int, str]]) -> Iterator[tuple[str, int, str]]:
    """Values under `data:` of documents of kind Secret, in whichever order the two stand."""
    document: list[tuple[int, str]] = []
    for number, text in [*lines, (0, "---")]:
        if text.startswith("---"):
            yield from _values(document)
            document = []
        else:
            document.append((number, text))


def _values(document: Sequence[tuple[int, str]]) -> Iterator[tuple[str, int, str]]:
    kinds = [found["kind"] for _, text in document if (found := _KIND.match(text))]
    if "Secret" not in kinds:
        return
    inside = False
    for number, text in document:
        if text[:1].strip():
            inside = bool(_DATA.match(text))
        entry = _ENTRY.match(text) if inside else None
        if entry and entry["secret"][:1] in _BLOCK:
            continue
        if entry and not placeholder(_bare(entry["secret"])):
            yield DATA_RULE, number, _bare(entry["secret"])
        elif inside and entry is None and text.startswith("  ") and not placeholder(text.strip()):
            yield DATA_RULE, number, text.strip()  # a line of a block


def _bare(value: str) -> str:
    return re.sub(r"\s+#.*$", "", value).strip("'\" ")
