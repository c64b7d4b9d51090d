"""All secrets in texts: own forms here, detect-secrets for the rest, one finding a place."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath

from pipelines.stages.security.secrets import manifests
from pipelines.stages.security.secrets.detector import Detected
from pipelines.stages.security.secrets.patterns import PATTERNS, PLACEHOLDER_DIGESTS, secret_of
from pipelines.stages.security.secrets.texts import Text

PIECE, OVERLAP = 2000, 300  # a long line is searched in pieces
SHORTEST = 6
SHORTEST_REASON = 8
_HASH_LINE = re.compile(r"\s*--hash=sha256:[0-9a-f]{64}(?: \\)?")
_ALLOWED = re.compile(r"not-a-secret:\s*(?P<reason>[^\n]*)", re.IGNORECASE)
_HEX_RULE = "secret/hex-high-entropy-string"
_DIGEST_LINE = re.compile(r"sha-?(1|256|384|512)|digest|checksum|commit", re.IGNORECASE)
_SECRET_NAME = re.compile(r"""(-\s+)?["']?secretName["']?:\s*["']?[a-z0-9.-]{1,253}["']?,?""")
_YAML = (".yaml", ".yml", ".tpl", ".json")
_KEY_SUFFIXES = (".p12", ".pfx", ".jks", ".keystore", ".kdbx", ".ppk", ".key")
_KEY_NAMES = (
    "id_rsa",
    "id_dsa",
    "id_ecdsa",
    "id_ed25519",
    ".netrc",
    ".pypirc",
    ".htpasswd",
    ".env",
)


@dataclass(frozen=True, slots=True)
class Leak:
    """`start` is at most the first four characters, `digest` the sha256 of the whole secret."""

    rule: str
    path: str
    line: int
    commit: str
    start: str
    digest: str


@dataclass(frozen=True, slots=True)
class Allowed:
    """A place that a person marked, with the reason; an empty one allows nothing."""

    path: str
    line: int
    commit: str
    reason: str


def own_leaks(text: Text) -> Iterator[Leak]:
    """By form of a line, by several lines of a manifest, by name of the file."""
    if not text.commit and _is_key_file(text.path):
        yield Leak("secret/key-file", text.path, 0, "", "", "")
    for number, line in text.lines:
        for piece in pieces(line):
            for pattern in PATTERNS:
                if text.binary and not pattern.sure:
                    continue
                for found in pattern.form.finditer(piece):
                    if secret := secret_of(pattern, found):
                        yield leak(pattern.rule, text, number, secret)
    if not text.binary and PurePosixPath(text.path).suffix in _YAML:
        for rule, number, secret in manifests.find(text.lines):
            yield leak(rule, text, number, secret)


def leak(rule: str, text: Text, line: int, secret: str) -> Leak:
    digest = hashlib.sha256(secret.encode("utf-8", "replace")).hexdigest()
    return Leak(rule, text.path, line, text.commit, secret[:4], digest)


def to_ask(texts: Sequence[Text]) -> dict[tuple[str, str], list[tuple[Text, int, str]]]:
    """What detect-secrets is asked, each (kind of file, line) once, with all its places."""
    asked: dict[tuple[str, str], list[tuple[Text, int, str]]] = {}
    for text in texts:
        if text.binary:
            continue
        path = PurePosixPath(text.path)
        kind = f"file{path.suffix.lower()}" if path.suffix else path.name
        for number, line in text.lines:
            if len(line.strip()) >= SHORTEST and not _HASH_LINE.fullmatch(line):
                for piece in pieces(line.rstrip()):
                    asked.setdefault((kind, piece), []).append((text, number, piece))
    return asked


def detected_leaks(
    found: Sequence[Detected], places: Sequence[Sequence[tuple[Text, int, str]]]
) -> Iterator[Leak]:
    for one in found:
        if one.digest in PLACEHOLDER_DIGESTS:
            continue
        for text, number, line in places[one.index]:
            if one.rule == _HEX_RULE and _DIGEST_LINE.search(line):
                continue
            if _names_a_secret(text, line):
                continue
            yield Leak(one.rule, text.path, number, text.commit, one.start, one.digest)


def _names_a_secret(text: Text, line: str) -> bool:
    """A field of Kubernetes' API that says where a secret is, never what."""
    yaml = PurePosixPath(text.path).suffix in _YAML
    return yaml and bool(_SECRET_NAME.fullmatch(line.strip()))


def marks(text: Text) -> Iterator[Allowed]:
    for number, line in text.lines:
        if found := _ALLOWED.search(line):
            reason = found["reason"].strip(" */->#")
            yield Allowed(text.path, number, text.commit, reason)


def settled(leaks: Sequence[Leak], allowed: Sequence[Allowed]) -> tuple[list[Leak], list[Allowed]]:
    """(what is left, marks that stand at something found). A reason on the line or the one above
    allows. One finding a place, own forms first. What a file of head still holds is not told a second
    time as history: there it is red already, or was given a reason since."""
    marks = {(a.path, a.commit, a.line): a for a in allowed}
    used: list[Allowed] = []
    kept: dict[tuple[str, str, int], Leak] = {}
    in_head = {(one.path, one.digest) for one in leaks if not one.commit}
    for one in leaks:
        near = [(one.path, one.commit, one.line - back) for back in (0, 1)]
        here = [marks[place] for place in near if place in marks]
        used += [mark for mark in here if mark not in used]
        if not any(len(mark.reason) >= SHORTEST_REASON for mark in here):
            kept.setdefault((one.path, one.commit, one.line), one)
    found = [o for o in kept.values() if not o.commit or (o.path, o.digest) not in in_head]
    return sorted(found, key=lambda one: (one.path, one.line, one.commit, one.rule)), used


def pieces(line: str) -> Iterator[str]:
    for start in range(0, max(len(line), 1), PIECE):
        yield line[max(start - OVERLAP, 0) : start + PIECE]


def _is_key_file(path: str) -> bool:
    name = PurePosixPath(path).name
    return name in _KEY_NAMES or name.endswith(_KEY_SUFFIXES)
