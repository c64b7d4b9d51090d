"""bandit: its command line, and its answer read strictly.

Every scan takes a planted fault along. An answer that does not find it, or has not looked at every
file that was asked, is no answer: the scanner is broken, not the code clean.
"""

from __future__ import annotations

import json
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.stages.protocol import Done
from pipelines.stages.security.part import Broken

SECONDS = 120.0
LEVELS = ("UNDEFINED", "LOW", "MEDIUM", "HIGH")
PLANTED_RULE = "B602"
PLANTED = "import subprocess\n\n\ndef planted(text):\n    subprocess.call(text, shell=True)\n"


@dataclass(frozen=True, slots=True)
class Alarm:
    """`weight` is the lower of severity and confidence as a position in LEVELS."""

    rule: str
    path: str
    line: int
    first_line: int
    last_line: int
    text: str
    weight: int


def command(program: Path, files: Sequence[str], planted: Path) -> list[str]:
    """Files one by one, never a folder: bandit takes settings from a `.bandit` in a folder it is
    given. Comments that suppress are not bandit's to read; they must give a reason here."""
    options = ("--quiet", "--format=json", "--exit-zero", "--ignore-nosec", "--exclude=")
    return [str(program), *options, *files, str(planted)]


def read_answer(done: Done, files: Sequence[str], planted: Path) -> tuple[list[Alarm], list[str]]:
    """Alarms in a stable order, and what it could not read in words. Raises Broken."""
    if done.why:
        raise Broken(f"bandit: {done.why}")
    if done.code != 0:
        raise Broken(f"bandit ended with {done.code}: {done.err.strip()[-300:]}")
    try:
        answer = json.loads(done.out)
        alarms = [_alarm(entry) for entry in answer["results"]]
        unread = [f"{_plain(e['filename'])}: {e['reason']}" for e in answer["errors"]]
        looked_at = {_plain(name) for name in answer["metrics"]}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Broken(f"bandit's answer cannot be read ({type(error).__name__})") from None
    trap = str(planted)
    if not any(alarm.path == trap and alarm.rule == PLANTED_RULE for alarm in alarms):
        raise Broken("bandit does not find the fault that was planted for it")
    missing = set(files) - looked_at - {line.partition(":")[0] for line in unread}
    if missing:
        raise Broken(f"bandit did not look at {len(missing)} file(s), such as {min(missing)}")
    found = [alarm for alarm in alarms if alarm.path != trap]
    return sorted(found, key=lambda a: (a.path, a.line, a.rule)), sorted(unread)


def _alarm(entry: Mapping[str, Any]) -> Alarm:
    lines = [int(number) for number in entry["line_range"]] + [int(entry["line_number"])]
    severity, confidence = entry["issue_severity"], entry["issue_confidence"]
    return Alarm(
        rule=str(entry["test_id"]),
        path=_plain(entry["filename"]),
        line=int(entry["line_number"]),
        first_line=min(lines),
        last_line=max(lines),
        text=str(entry["issue_text"]),
        weight=min(LEVELS.index(severity), LEVELS.index(confidence)),
    )


def _plain(path: str) -> str:
    return posixpath.normpath(path)  # bandit puts `./` before
