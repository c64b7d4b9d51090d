"""A name that would be allowed and says as much as possible of what was meant."""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Sequence

EXAMPLE = "example"


def propose(name: str, prefixes: Sequence[str], versions: Sequence[str], max_length: int) -> str:
    """Always allowed by the rule whose prefixes and versions these are."""
    plain = _plain(name)
    first, slash, _ = plain.partition("/")
    if versions and (first == "release" or _close(first, "release")) and slash:
        return _version(plain, versions[0])
    ordered = sorted(prefixes, key=len, reverse=True)
    prefix = next((p for p in ordered if plain.startswith(p)), None)
    rest = plain.removeprefix(prefix) if prefix else plain
    if prefix is None:
        prefix, rest = _nearest(plain, prefixes)
    words = re.sub(r"[^a-z0-9]+", "-", rest.removesuffix(".lock")).strip("-") or EXAMPLE
    return (prefix + words)[:max_length].rstrip("-")


def _plain(name: str) -> str:
    """Lower case, letters without accents, nothing that is not ASCII; options lose their dashes."""
    taken_apart = unicodedata.normalize("NFKD", name[:400])
    text = "".join(c for c in taken_apart if c.isascii() and (c.isprintable() or c.isspace()))
    return text.lower().strip().lstrip("-/.").replace("_", "-")


def _close(word: str, to: str) -> bool:
    return difflib.SequenceMatcher(None, word, to).ratio() > 0.75


def _nearest(plain: str, prefixes: Sequence[str]) -> tuple[str, str]:
    """The prefix that was probably meant, and what follows it."""
    first, slash, rest = plain.partition("/")
    heads = [p for p in prefixes if p.count("/") == 1 and p.endswith("/")]
    usual = heads[0] if heads else (prefixes[0] if prefixes else "")
    if not slash:
        return usual, plain
    if first in ("fix", "bugfix", "hot-fix") and "hotfix/" in heads:
        return "hotfix/", rest
    near = next((head for head in heads if _close(first, head[:-1])), None)
    return (near, rest) if near else (usual, plain)


def _version(plain: str, prefix: str) -> str:
    numbers = [str(int(n)) for n in re.findall(r"[0-9]+", plain[:60])[:3]]
    return prefix + ".".join([*numbers, *["1", "0", "0"][len(numbers) :]])
