"""A change of the rules themselves: by what it was, and by what it would be.

The code of the rules is the installed engine's. Data and cases come from the branch: the new data
must still refuse whatever the old data refused of the old bad cases, so that a policy which lets its
own gate stand open is found by the gate.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from pipelines.model.check import Finding, Tree
from pipelines.model.errors import BadInput
from policies import cases, rooms
from policies.policy import SEVERITIES, file_of

RULE = "policies"
_HINT = "change the case first, in a pull request that says why; then the data"


def judge_rooms(head: Tree, rules: Tree) -> tuple[list[Finding], int]:
    """Findings about the rooms of head, and how many cases were judged."""
    found: list[Finding] = []
    count = 0
    for rule in rooms.RULES:
        room_findings, room_cases = _room(rule, head, rules)
        found += room_findings
        count += room_cases
    return [*found, *_unknown(head)], count


def _room(rule: str, head: Tree, rules: Tree) -> tuple[list[Finding], int]:
    file = file_of(rule)
    was, now = rules.text(file), head.text(file)
    if now is None:
        if was is None:
            return [], 0
        return [_finding(file, f"room {rule} is gone", "bring it back")], 0
    file_of_cases = f"policies/{rule}/cases.yaml"
    now_cases, old_cases = head.text(file_of_cases) or "", rules.text(file_of_cases) or ""
    try:
        new = rooms.load_data(rule, now)
        own = cases.parse(rule, now_cases)
    except BadInput as error:
        return [_finding(file, error.message, error.hint)], 0
    found = [
        _finding(file, f"policies/{rule}: its case {case.name!r} {words}", "correct data or case")
        for case in own
        if (words := cases.complaint(case, new))
    ]
    judged = len(own)
    if (was, old_cases) == (now, now_cases):  # by both rules the same comes out
        judged += sum(not case.good for case in own)
    elif was is not None:
        findings, more = _against_the_old(rule, was, old_cases, new, own)
        found, judged = [*found, *findings], judged + more
    return found, judged


def _against_the_old(
    rule: str, was: str, old_cases: str, new: Mapping[str, Any], own: list[cases.Case]
) -> tuple[list[Finding], int]:
    """Nothing when the old room cannot be read: there is nothing to hold the new one to."""
    file = file_of(rule)
    try:
        old, old_bad = rooms.load_data(rule, was), _bad(rule, old_cases)
    except BadInput:
        return [], 0
    found = []
    if SEVERITIES.index(new[rooms.SEVERITY]) > SEVERITIES.index(old[rooms.SEVERITY]):
        words = (
            f"policies/{rule}: severity sinks from {old[rooms.SEVERITY]} to {new[rooms.SEVERITY]}"
        )
        found.append(_finding(file, words, f"severity: {old[rooms.SEVERITY]}"))
    found += [_finding(file, words, _HINT) for words in _let_through(rule, old_bad, old, new)]
    found += [
        replace(_finding(file, words, ""), severity="note") for words in _changed(rule, old, new)
    ]
    kept = {case.name for case in own if not case.good}
    for case in old_bad:
        if case.name not in kept:
            words = f"policies/{rule} no longer has its bad case {case.name!r}"
            found.append(replace(_finding(file, words, ""), severity="note"))
    return found, len(old_bad)


def _changed(rule: str, old: Any, new: Any, path: str = "") -> Iterator[str]:
    """For a reviewer: each value that is another one now. No case may speak of it."""
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        for key in {**old, **new}:
            where = f"{path}.{key}" if path else key
            yield from _changed(rule, old.get(key), new.get(key), where)
    elif old != new:
        yield f"policies/{rule}: {path}: {old!r:.200} becomes {new!r:.200}"


def _bad(rule: str, text: str) -> list[cases.Case]:
    return [case for case in cases.parse(rule, text) if not case.good]


def _let_through(
    rule: str, bad: list[cases.Case], old: Mapping[str, Any], new: Mapping[str, Any]
) -> Iterator[str]:
    """A case is tried with the data that it brings along and without: those may be what a change
    switches off."""
    for case in bad:
        for tried in dict.fromkeys((True, False)):
            one = case if tried else replace(case, data=None)
            if not cases.complaint(one, old) and cases.complaint(one, new):
                yield f"policies/{rule} no longer refuses its bad case {case.name!r}"
                break


def _unknown(head: Tree) -> list[Finding]:
    """Rooms that this engine has no code for; they count once it is installed."""
    folder = head.folder / "policies"
    names = sorted(p.parent.name for p in folder.glob("*/policy.yaml")) if folder.is_dir() else []
    return [
        replace(
            _finding(
                file_of(name), f"room {name} is new: the installed engine cannot judge by it", ""
            ),
            severity="note",
        )
        for name in names
        if name not in rooms.RULES
    ]


def _finding(file: str, words: str, hint: str) -> Finding:
    return Finding(RULE, words, path=file, hint=hint)
