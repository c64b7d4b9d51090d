"""The part of the security stage that looks for secrets."""

from __future__ import annotations

from collections.abc import Sequence

from pipelines.model.check import Change, Finding
from pipelines.model.errors import SlipwayError
from pipelines.stages.protocol import AddedLine, Workshop
from pipelines.stages.security.part import Broken, Part
from pipelines.stages.security.secrets import detector, search, texts
from pipelines.stages.security.secrets.patterns import PATTERNS

NAME, WHAT = "secrets", "lines searched"
_HINT = (
    "take it back where it was issued: whoever fetched the branch has it; then squash the commits."
    " No secret at all? Say why on its line: not-a-secret: REASON"
)


def find_secrets(change: Change, workshop: Workshop) -> Part:
    """Files of head, added lines of every commit, messages. `broken` when a source of lines or the
    scanner fails, or when there was nothing to search."""
    try:
        return _find(change, workshop)
    except Broken as error:
        return Part(NAME, WHAT, 0, broken=error.message, hint=error.hint)
    except SlipwayError as error:
        return Part(NAME, WHAT, 0, broken=error.message, hint=error.hint)


def _find(change: Change, workshop: Workshop) -> Part:
    paths = texts.files_of(change)
    places = [
        *texts.read_files(change.head.folder, paths),
        *texts.read_history(_added(change, workshop)),
        *texts.read_words(change),
    ]
    lines = texts.count(places)
    samples = sum(lines.values())
    if not samples and not _only_deletes(change):
        raise Broken("there was nothing to search for secrets")
    asked = search.to_ask(places)
    detection = _detect(list(asked), workshop)
    leaks = [leak for text in places for leak in search.own_leaks(text)]
    leaks += search.detected_leaks(detection.found, list(asked.values()))
    allowed = [mark for text in places for mark in search.marks(text)]
    found, used = search.settled(leaks, allowed)
    return Part(
        NAME,
        WHAT,
        samples,
        findings=tuple(map(_finding, found)) + _without_reason(used),
        document={
            "files": len(paths),
            "commits": len(change.commits),
            **lines,
            "own_forms": len(PATTERNS),
            "detectors": detection.detectors,
            "allowed": _allowed(used),
            "found": [[f.rule, f.path, f.line, f.commit, f.digest[:12]] for f in found],
        },
        tools={"detect-secrets": detection.version},
    )


def _added(change: Change, workshop: Workshop) -> Sequence[AddedLine]:
    if workshop.history is None:
        raise Broken("nobody can say which lines the commits of the change added")
    if change.files and not change.commits:
        raise Broken("files changed, but no commit of the change is known")
    return workshop.history(change)


def _only_deletes(change: Change) -> bool:
    return bool(change.files) and all(file.status == "D" for file in change.files)


def _detect(lines: Sequence[tuple[str, str]], workshop: Workshop) -> detector.Detection:
    done = workshop.programs.run(
        detector.command(workshop.environments.tools() / "python"),
        folder=workshop.folder,
        seconds=detector.SECONDS,
        stdin=detector.question(lines),
    )
    return detector.read_answer(done, len(lines))


def _finding(leak: search.Leak) -> Finding:
    if leak.rule == "secret/key-file":
        message = "a file of this name holds keys or passwords"
        return Finding(leak.rule, message, path=leak.path, hint="keep it out of the repository")
    shown = f"{leak.start}… (sha256 {leak.digest[:12]})"
    where = f", added by commit {leak.commit[:12]} and no longer there" if leak.commit else ""
    if leak.path in (texts.MESSAGE, texts.REQUEST):
        where = f" in the {leak.path} {leak.commit[:12]}".rstrip()
    path = "" if leak.path in (texts.MESSAGE, texts.REQUEST) else leak.path
    kind = leak.rule.removeprefix("secret/").replace("-", " ")
    # The line of a commit is not a line of head: whoever marks it there would mark something else.
    line = 0 if leak.commit else leak.line
    return Finding(leak.rule, f"{kind} {shown}{where}", path=path, line=line, hint=_HINT)


def _without_reason(allowed: Sequence[search.Allowed]) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            "secret/no-reason",
            "a mark that something is no secret says why",
            path=mark.path,
            line=mark.line,
            hint="not-a-secret: REASON",
        )
        for mark in allowed
        if not mark.commit and len(mark.reason) < search.SHORTEST_REASON
    )


def _allowed(allowed: Sequence[search.Allowed]) -> list[list[str | int]]:
    good = [a for a in allowed if len(a.reason) >= search.SHORTEST_REASON and not a.commit]
    return [[a.path, a.line, a.reason] for a in sorted(good, key=lambda a: (a.path, a.line))]
