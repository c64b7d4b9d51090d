"""Reads requirement locks: every pin with its hashes, and what must not stand in a lock."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatch
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from pipelines.model.check import Finding

NAMES = ("requirements*.lock", "*-requirements.lock")
OTHER_LOCKS = (
    *("uv.lock", "poetry.lock", "pdm.lock", "Pipfile.lock", "pylock.toml", "package-lock.json"),
    *("yarn.lock", "pnpm-lock.yaml", "Cargo.lock", "go.sum", "Gemfile.lock", "composer.lock"),
)
_REMAKE = "make it anew: make lock"
_STRONG = {"sha256": 64, "sha384": 96, "sha512": 128}
_HASH = re.compile(r"--hash=([a-z0-9]+):([0-9a-f]+)$")
_COMMENT = re.compile(r"(^|\s)#.*$")
_OPTIONS = {
    "-e": ("lock/editable", "an editable install"),
    "--editable": ("lock/editable", "an editable install"),
    "-r": ("lock/include", "another file is included"),
    "--requirement": ("lock/include", "another file is included"),
    "-c": ("lock/include", "another file is included"),
    "--constraint": ("lock/include", "another file is included"),
}


@dataclass(frozen=True, slots=True)
class Pin:
    """`name` is normalised (PEP 503), `version` as it is written."""

    name: str
    version: str
    lock: str
    line: int


def find_locks(folder: Path) -> tuple[list[str], list[Finding]]:
    """Paths of all locks of a tree, sorted; and those of a kind that nobody here can read."""
    found: list[str] = []
    unknown: list[Finding] = []
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if name != ".git"]
        for name in files:
            path = (Path(parent) / name).relative_to(folder).as_posix()
            if any(fnmatch(name, pattern) for pattern in NAMES):
                found.append(path)
            elif name in OTHER_LOCKS:
                unknown.append(
                    Finding(
                        "lock/unknown-kind",
                        f"{name} pins packages that this check cannot audit",
                        severity="warning" if path.startswith("tests/") else "error",
                        path=path,
                        hint="pin them in a requirements.lock with hashes",
                    )
                )
    return sorted(found), sorted(unknown, key=lambda finding: finding.path)


def read_lock(path: str, text: str) -> tuple[list[Pin], list[Finding]]:
    """All pins, and a finding for every line that makes the lock less than exact."""
    pins: list[Pin] = []
    findings: list[Finding] = []
    for line, words in _logical_lines(text):
        if words[0].startswith("-"):
            findings.append(_option(path, line, words[0]))
            continue
        hashes = [word for word in words if word.startswith("-")]
        pin, problem = _pin(path, line, " ".join(w for w in words if not w.startswith("-")))
        findings += problem
        if pin is not None:
            pins.append(pin)
            findings += _hashes(pin, hashes)
    if not pins:
        findings.append(Finding("lock/empty", "the lock pins nothing", "note", path=path))
    return pins, findings


def _logical_lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """(number of the first line, words) with continued lines joined and comments dropped."""
    begun, joined = 0, ""
    for number, line in enumerate([*text.splitlines(), ""], start=1):
        begun = begun or number
        if line.rstrip().endswith("\\") and not line.lstrip().startswith("#"):
            joined += line.rstrip()[:-1] + " "
            continue
        joined += line
        words = _COMMENT.sub("", joined).split()
        if words:
            yield begun, words
        begun, joined = 0, ""


def _option(path: str, line: int, word: str) -> Finding:
    name = re.split(r"[= ]", word)[0]
    rule, what = _OPTIONS.get(name, ("lock/index-url", f"the option {name}"))
    return Finding(
        rule,
        f"{what} stands in the lock: where packages come from is not a lock's to say",
        path=path,
        line=line,
        hint=_REMAKE,
    )


def _pin(path: str, line: int, text: str) -> tuple[Pin | None, list[Finding]]:
    def refused(rule: str, message: str) -> tuple[None, list[Finding]]:
        return None, [Finding(rule, message, path=path, line=line, hint=_REMAKE)]

    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        if re.search(r"://|^\.{0,2}/|^file:|^git\+", text):
            return refused("lock/direct-url", "a direct address instead of a pinned release")
        return refused("lock/unreadable", f"{text[:60]!r} is no pinned requirement")
    if requirement.url:
        return refused("lock/direct-url", f"{requirement.name}: a direct address, not a release")
    specifiers = list(requirement.specifier)
    if len(specifiers) != 1 or specifiers[0].operator != "==":
        return refused("lock/not-pinned", f"{requirement.name}: not pinned to one release")
    version = specifiers[0].version
    try:
        Version(version)
    except InvalidVersion:
        return refused("lock/not-pinned", f"{requirement.name}: {version!r} is not one release")
    return Pin(canonicalize_name(requirement.name), version, path, line), []


def _hashes(pin: Pin, words: list[str]) -> Iterator[Finding]:
    for word in words:
        found = _HASH.match(word)
        if found is None:
            yield Finding(
                "lock/index-url",
                f"{pin.name}: {word[:40]!r} is no hash",
                path=pin.lock,
                line=pin.line,
            )
        elif _STRONG.get(found[1]) != len(found[2]):
            yield Finding(
                "lock/weak-hash",
                f"{pin.name}: {found[1]} with {len(found[2])} digits proves nothing",
                path=pin.lock,
                line=pin.line,
                hint=_REMAKE,
            )
    if not words:
        yield Finding(
            "lock/no-hash",
            f"{pin.name} {pin.version} has no hash: whatever the index sends would be installed",
            path=pin.lock,
            line=pin.line,
            hint=_REMAKE,
        )
