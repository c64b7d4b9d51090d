"""Whether the text of a pull request is filled in, by the headings of the template.

Facts: `text` (None: there is none), `local` (a change that is checked on a machine before anybody
asked for a review), `strategies` (folders of the strategies it touches).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.model.check import Finding
from pipelines.model.fields import Fields
from policies.pull_request.sections import Section, read_sections, words_of

RULE = "pull_request"
TEMPLATE = ".github/pull_request_template.md"
_RISK = re.compile(r"\W*risk\W*:\W*(\w+)\W*", re.IGNORECASE)
_BOX = re.compile(r"^[ \t]*[-*] \[(.)\](.*)$", re.MULTILINE)
_LONGEST_LABEL = 100  # characters of a line; longer ones are prose, and slow to match
RISKS = ("low", "medium", "high")


@dataclass(frozen=True, slots=True)
class Facts:
    text: str | None
    local: bool
    strategies: tuple[str, ...]

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Facts:
        fields = Fields(f"facts of {RULE}", mapping, ("text", "local", "strategies"))
        absent = fields.raw("text") is None
        return cls(
            text=None if absent else fields.text("text", empty=True),
            local=fields.boolean("local"),
            strategies=fields.texts("strategies"),
        )


@dataclass(frozen=True, slots=True)
class Data:
    """Names are headings, without the marks in front of them."""

    sections: tuple[str, ...]
    strategy_section: str
    checklist: str
    risk: str
    min_words: int
    max_bytes: int

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any], file: str) -> Data:
        texts = ("strategy_section", "checklist", "risk")
        fields = Fields(file, mapping, ("sections", *texts, "min_words", "max_bytes"))
        return cls(
            sections=fields.texts("sections"),
            strategy_section=fields.text("strategy_section"),
            checklist=fields.text("checklist"),
            risk=fields.text("risk"),
            min_words=fields.integer("min_words", 1, 100),
            max_bytes=fields.integer("max_bytes", 100, 1_000_000),
        )


def judge(facts: Facts, data: Data) -> list[Finding]:
    """Everything that is missing at once, so that one edit repairs it."""
    if facts.text is None or not facts.text.strip():
        return [_absent(facts)]
    size = len(facts.text.encode("utf-8", "replace"))
    if size > data.max_bytes:
        words = f"its text has {size:,} bytes, at most {data.max_bytes:,} are allowed"
        return [_finding(words, "link to what is long instead of pasting it")]
    sections = read_sections(facts.text)
    needed = [*data.sections, *([data.strategy_section] if facts.strategies else [])]
    found = [f for name in needed for f in _filled(name, sections, data.min_words)]
    found += _risk(sections.get(data.risk.casefold()))
    found += _unticked(sections.get(data.checklist.casefold()))
    return found + _evidence(sections.get(data.strategy_section.casefold()), facts, data)


def _absent(facts: Facts) -> Finding:
    hint = f"fill in {TEMPLATE} and give it: slipway check --pull-request FILE"
    if facts.local and facts.text is None:
        return Finding(RULE, "no pull-request text yet, so none was judged", "note", hint=hint)
    return _finding("its text is empty", hint)


def _finding(words: str, hint: str) -> Finding:
    return Finding(RULE, f"pull request: {words}", hint=hint)


def _filled(name: str, sections: Mapping[str, Section], least: int) -> list[Finding]:
    section = sections.get(name.casefold())
    if section is None:
        there = ", ".join(s.title[:40] for s in list(sections.values())[:8]) or "none"
        hint = f"add the heading of {TEMPLATE} (headings there are: {there})"
        return [_finding(f"section '## {name}' is missing", hint)]
    count = words_of(section.text)
    if count >= least:
        return []
    words = f"section '## {name}' says nothing ({count} words)"
    return [_finding(words, f"write at least {least} words; lines of the template do not count")]


def _risk(section: Section | None) -> list[Finding]:
    if section is None:
        return []
    lines = [line for line in section.text.splitlines() if len(line) <= _LONGEST_LABEL]
    labels = [match[1].lower() for line in lines if (match := _RISK.fullmatch(line))]
    if len(labels) == 1 and labels[0] in RISKS:
        return []
    said = (
        f"it says {', '.join(repr(label[:20]) for label in labels[:4])}"
        if labels
        else "it has none"
    )
    hint = "write one line: Risk: low (or medium, or high)"
    return [_finding(f"section '## {section.title}' needs one risk label; {said}", hint)]


def _unticked(section: Section | None) -> list[Finding]:
    if section is None:
        return []
    boxes = _BOX.findall(section.text)
    if not boxes:
        words = f"section '## {section.title}' has no boxes"
        return [_finding(words, f"copy them from {TEMPLATE}")]
    open_ones = [text.strip()[:80] for mark, text in boxes if mark not in "xX"]
    hint = "do it, then tick it: - [x]"
    return [_finding(f"not ticked: {text}", hint) for text in open_ones]


def _evidence(section: Section | None, facts: Facts, data: Data) -> list[Finding]:
    """A section that is there must speak of each strategy; that it is there is asked above."""
    if section is None:
        return []
    text = section.text.replace("-", "_").casefold()
    return [
        _finding(
            f"section '## {section.title}' does not name strategy {name}",
            "say what its examination found: slipway check --stage strategy",
        )
        for name in facts.strategies
        if not re.search(rf"(?<!\w){re.escape(name.casefold())}(?!\w)", text)
    ]
