"""The part that looks at code: bandit, and own rules for what bandit does not see."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any

from pipelines.model.check import Change, Finding
from pipelines.model.errors import SlipwayError
from pipelines.stages.protocol import Done, Workshop
from pipelines.stages.security import bandit
from pipelines.stages.security.own.rules import RULES
from pipelines.stages.security.part import Broken, Part
from pipelines.stages.security.suppression import Suppression, read_suppressions, suppressed

NAME, WHAT = "code", "Python files read"
ROOTS = ("app/", "pipelines/", "policies/", "infra/", "scripts/")
RED_FROM = bandit.LEVELS.index("MEDIUM")
OWN_SECONDS = 120.0
OWN_PROGRAM = "pipelines.stages.security.own.program"
_SAME_AS = {rule.name: rule.same_as for rule in RULES}
_HINT = "change it, or say on its line why it is no danger: # nosec {rule} - REASON"


@dataclass(frozen=True, slots=True)
class Spot:
    """Something found, by bandit or by our own rules. A suppression may stand on any of its lines."""

    rule: str
    path: str
    first_line: int
    line: int
    last_line: int
    text: str


@dataclass(frozen=True, slots=True)
class Own:
    """What our own rules said. `sql_of_constants`: path, first and last line."""

    found: tuple[Spot, ...]
    sql_of_constants: tuple[tuple[str, int, int], ...]
    unread: tuple[str, ...]


def judge_code(change: Change, workshop: Workshop) -> Part:
    """`broken` when a scanner fails; nothing to look at where no code of ours changed."""
    try:
        files = code_files(change)
        return _judge(change, workshop, files) if files else Part(NAME, WHAT, 0, document=_NOTHING)
    except Broken as error:
        return Part(NAME, WHAT, 0, broken=error.message, hint=error.hint)
    except SlipwayError as error:
        return Part(NAME, WHAT, 0, broken=error.message, hint=error.hint)


def code_files(change: Change) -> list[str]:
    """Python files of ours, tests left out: those that changed, or all."""
    if change.everything:
        paths = [
            path.relative_to(change.head.folder).as_posix()
            for root in ROOTS
            for path in (change.head.folder / root).rglob("*.py")
            if path.is_file()
        ]
    else:
        paths = [path for path in change.changed("", ".py") if path.startswith(ROOTS)]
    return sorted(path for path in paths if "tests" not in PurePosixPath(path).parts)


def _judge(change: Change, workshop: Workshop, files: Sequence[str]) -> Part:
    alarms, unread = _bandit(change, workshop, files)
    own = _own(change, workshop, files)
    marks: dict[str, list[Suppression]] = {}
    findings: list[Finding] = []
    for path in files:
        marks[path], bad = read_suppressions(path, change.head.text(path) or "")
        findings += bad
    heavy = [alarm for alarm in alarms if alarm.weight >= RED_FROM]
    counted = [alarm for alarm in heavy if not _of_constants(alarm, own.sql_of_constants)]
    spots = [
        *(
            Spot(f"bandit/{a.rule}", a.path, a.first_line, a.line, a.last_line, a.text)
            for a in counted
        ),
        *(one for one in own.found if not any(_same(one, alarm) for alarm in counted)),
    ]
    used: list[list[str | int]] = []
    for spot in spots:
        if suppressed(marks.get(spot.path, ()), _names(spot.rule), spot.first_line, spot.last_line):
            used.append([spot.rule, spot.path, spot.line])
        else:
            findings.append(_finding(spot))
    findings += [
        Finding("code/unreadable", "this is no Python that can be read", path=path)
        for path in sorted({line.partition(":")[0] for line in [*unread, *own.unread]})
    ]
    return Part(
        NAME,
        WHAT,
        len(files),
        findings=tuple(sorted(findings, key=lambda f: (f.path, f.line, f.rule))),
        document={
            "files": len(files),
            "own_rules": sorted(_SAME_AS),
            "light_alarms": len(alarms) - len(heavy),
            "sql_of_constants": len(heavy) - len(counted),
            "suppressions": sorted(used, key=str),
            "found": sorted([f.rule, f.path, f.line] for f in findings),
        },
        tools={"bandit": _version(workshop)},
    )


_NOTHING = {"files": 0, "own_rules": sorted(_SAME_AS), "suppressions": [], "found": []}


def _bandit(
    change: Change, workshop: Workshop, files: Sequence[str]
) -> tuple[list[bandit.Alarm], list[str]]:
    planted = workshop.folder / "planted.py"
    planted.write_text(bandit.PLANTED)
    program = workshop.environments.tools() / "bandit"
    done = workshop.programs.run(
        bandit.command(program, files, planted), folder=change.head.folder, seconds=bandit.SECONDS
    )
    return bandit.read_answer(done, files, planted)


def _version(workshop: Workshop) -> str:
    """As installed; asking bandit itself would cost a second start of it."""
    home = workshop.environments.tools().parent
    found = sorted(home.glob("lib/python*/site-packages/bandit-*.dist-info"))
    if len(found) != 1:
        raise Broken("nobody can say which bandit this is")
    return found[0].name.removeprefix("bandit-").removesuffix(".dist-info")


def _own(change: Change, workshop: Workshop, files: Sequence[str]) -> Own:
    """In a process of its own: a file may be made to crash the parser."""
    done = workshop.programs.run(
        [sys.executable, "-I", "-m", OWN_PROGRAM],
        folder=workshop.folder,
        seconds=OWN_SECONDS,
        stdin=json.dumps({"folder": str(change.head.folder), "files": list(files)}),
    )
    return read_own(done, files)


def read_own(done: Done, files: Sequence[str]) -> Own:
    """Raises Broken unless every file was read or named as unreadable."""
    if done.why or done.code != 0:
        raise Broken(f"the own rules ended with {done.why or done.code}: {done.err.strip()[-300:]}")
    try:
        answer: Mapping[str, list[Any]] = json.loads(done.out)
        own = Own(
            found=tuple(
                Spot(f"own/{rule}", path, int(line), int(line), int(last), text)
                for rule, path, line, last, text in answer["found"]
            ),
            sql_of_constants=tuple((p, int(a), int(b)) for p, a, b in answer["sql_of_constants"]),
            unread=tuple(str(line) for line in answer["unread"]),
        )
        read = {str(path) for path, _ in answer["files"]}
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        raise Broken(f"the own rules' answer cannot be read ({type(error).__name__})") from None
    if missing := set(files) - read - {line.partition(":")[0] for line in own.unread}:
        raise Broken(f"the own rules did not look at {len(missing)} file(s), as {min(missing)}")
    return own


def _of_constants(alarm: bandit.Alarm, spans: Sequence[tuple[str, int, int]]) -> bool:
    return alarm.rule == "B608" and any(
        path == alarm.path and first <= alarm.last_line and alarm.first_line <= last
        for path, first, last in spans
    )


def _same(one: Spot, alarm: bandit.Alarm) -> bool:
    return (
        alarm.path == one.path
        and alarm.rule in _SAME_AS[one.rule.partition("/")[2]]
        and alarm.first_line <= one.last_line
        and one.line <= alarm.last_line
    )


def _names(rule: str) -> frozenset[str]:
    """Every name under which a suppression may speak of a rule."""
    name = rule.partition("/")[2]
    same = {own for own, others in _SAME_AS.items() if name in others}
    return frozenset((name,)) | same | _SAME_AS.get(name, frozenset())


def _finding(spot: Spot) -> Finding:
    hint = _HINT.format(rule=spot.rule.partition("/")[2])
    return Finding(spot.rule, spot.text, path=spot.path, line=spot.line, hint=hint)
