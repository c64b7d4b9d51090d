"""Text from a change is untrusted: names and messages made safe for a terminal and for Markdown."""

from __future__ import annotations

import html
import re
import unicodedata

_MARKUP = re.compile(r"[`*\[\]|~@\\#]|\b_|_\b|(?<!\w)_")


def plain(text: str, limit: int = 0) -> str:
    """One line without control, formatting and right-to-left characters; `limit` characters."""
    words = " ".join(text.split())
    safe = "".join(c if unicodedata.category(c)[0] != "C" else "\N{REPLACEMENT CHARACTER}"
                   for c in words)  # fmt: skip
    return safe if not limit or len(safe) <= limit else safe[: limit - 1] + "…"


def escaped(text: str, limit: int = 0) -> str:
    """Shown in Markdown as it is: no markup, no mention, no link of its own."""
    safe = html.escape(plain(text, limit), quote=False)
    safe = _MARKUP.sub(lambda found: "".join(f"&#{ord(c)};" for c in found[0]), safe)
    return safe.replace("://", ":&#47;/").replace("www.", "www&#46;")


def code(text: str) -> str:
    """A name in code type, in HTML since that needs no counting of backticks."""
    return f"<code>{escaped(text, 300)}</code>"
