"""Landing: what runs in production is merged to `main`, tagged, and merged back to `develop`.

All three refs move together or none does, so a process that dies leaves nothing half-done, and who
comes next (the command, or production's controller) does it then.
"""

from __future__ import annotations

from dataclasses import dataclass

from pipelines.engine.changelog import FILE, section_of
from pipelines.flows.source_ports import (
    RELEASE_TRAILER,
    VERSION_TRAILER,
    CutRecord,
    Move,
    Source,
)
from pipelines.model.errors import NeedsPerson, Refused


@dataclass(frozen=True, slots=True)
class Landing:
    """The commits that `main` and `develop` stand at afterwards, and the tag's name."""

    main: str
    develop: str
    tag: str


def landed(source: Source, cut: CutRecord) -> bool:
    return f"v{cut.version}" in source.tags()


def try_landing(source: Source, cut: CutRecord, *, actor: str = "Slipway") -> str:
    """The merge with `main` as it would be; its id. Raises Refused: a conflict, or `main` holds what
    the release lacks, so that production would run something that `main` does not say."""
    main = source.head("main")
    if main is None:
        raise NeedsPerson("the origin has no branch main", hint="run: slipway up")
    try:
        merged = source.merge(
            main, cut.commit, f"Merge {cut.branch} into main", _trailers(cut), author=actor
        )
    except Refused as conflict:
        raise _lacks(cut, conflict.message) from None
    if source.trees(merged) != source.trees(cut.base):
        raise _lacks(cut, "production would run something that main does not say")
    return merged


def _lacks(cut: CutRecord, why: str) -> Refused:
    return Refused(
        f"main holds changes that version {cut.version} lacks: {why}",
        hint="bring main into develop (a branch that merges slipway/main), and release that",
    )


def land(source: Source, cut: CutRecord, *, actor: str, reason: str) -> Landing:
    """Merge, tag and merge back; done already is done. Raises Refused like `try_landing`,
    NeedsPerson when the merge back to develop conflicts, InProgress when branches keep moving."""
    tag = f"v{cut.version}"
    main, develop = source.head("main"), source.head("develop")
    if landed(source, cut):
        return Landing(main or "", develop or "", tag)
    merged = try_landing(source, cut, actor=actor)
    moves = [Move("refs/heads/main", merged, main or "")]
    notes = section_of(source.text(merged, FILE) or "", cut.version)
    message = "\n\n".join(part for part in (f"Version {cut.version}", reason, notes) if part)
    moves.append(Move(f"refs/tags/{tag}", source.annotated_tag(tag, merged, message), ""))
    if develop is not None:
        back = _back(source, develop, merged, cut, actor)
        moves.append(Move("refs/heads/develop", back, develop))
        develop = back
    source.move(moves)
    return Landing(merged, develop or "", tag)


def _back(source: Source, develop: str, merged: str, cut: CutRecord, actor: str) -> str:
    try:
        return source.merge(
            develop, merged, "Merge main into develop", _trailers(cut), author=actor
        )
    except Refused as conflict:
        raise NeedsPerson(
            f"version {cut.version} runs in production, but main cannot be merged back into develop: "
            f"{conflict.message}",
            hint=f"push a feature branch that merges {cut.branch} into develop, and merge it; "
            "production's controller then lands the version by itself",
        ) from None


def _trailers(cut: CutRecord) -> dict[str, str]:
    return {VERSION_TRAILER: cut.version, RELEASE_TRAILER: cut.release}
