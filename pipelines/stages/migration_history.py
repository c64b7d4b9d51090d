"""What a change does to the scripts that are there already: nothing, or it is refused."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from pipelines.model.check import Change, Finding
from pipelines.stages.migration_scripts import (
    CONTRACT,
    EXPAND,
    Chain,
    Script,
    Scripts,
    chain,
    read,
    versions_folder,
)


@dataclass(frozen=True, slots=True)
class History:
    """`new`: scripts of the change, in their order. `merged`: of the target, in theirs."""

    head: Scripts
    new: tuple[Script, ...]
    merged: tuple[Script, ...]
    findings: tuple[Finding, ...]


def judge(change: Change) -> History:
    """Raises BadInput for a slipway.yaml that cannot be read."""
    head = read(change.head, versions_folder(change.head))
    rules = read(change.rules, versions_folder(change.rules))
    base = read(change.base, versions_folder(change.base)).by_revision()
    ours, theirs = head.by_revision(), rules.by_revision()
    findings = [*head.findings, *_doubles(head), *_touched(ours, {**base, **theirs}, base)]
    merged = chain(theirs.values()).ordered
    together = chain({**theirs, **ours}.values())
    new = tuple(s for s in together.ordered or head.scripts if s.revision not in theirs)
    if together.problem:
        findings.append(_broken(together, change.target, ours=chain(ours.values())))
    else:
        findings += _late(new)
    return History(head, new, merged, tuple(findings))


def _doubles(head: Scripts) -> Iterator[Finding]:
    seen: dict[str, Script] = {}
    for script in head.scripts:
        other = seen.setdefault(script.revision, script)
        if other is not script:
            yield Finding(
                "migrations/chain",
                f"revision {script.revision} is there twice: {other.path} and {script.path}",
                path=script.path,
                hint="give the newer one a number of its own",
            )


def _touched(
    ours: dict[str, Script], merged: dict[str, Script], base: dict[str, Script]
) -> Iterator[Finding]:
    for revision, script in merged.items():
        mine = ours.get(revision)
        if mine is None and revision in base:
            yield Finding(
                "migrations/merged",
                f"{revision} is merged already and this change deletes it: databases have it applied",
                path=script.path,
                hint="put the file back; undo its work by a new migration",
            )
        elif mine is not None and mine.sha256 != script.sha256:
            yield Finding(
                "migrations/merged",
                f"{revision} is merged already and this change edits it: databases have the old text",
                path=mine.path,
                hint="put the file back; write a new migration that comes after it",
            )


def _broken(together: Chain, target: str, ours: Chain) -> Finding:
    hint = (
        "fix down_revision, so that the scripts follow each other"
        if ours.problem
        else f"{target} has got a migration meanwhile: merge it, and let yours follow that one"
    )
    return Finding("migrations/chain", together.problem, path=together.path, hint=hint)


def _late(new: tuple[Script, ...]) -> Iterator[Finding]:
    """Nothing that expands can be applied before a contract migration in front of it is."""
    first = next((script for script in new if script.kind == CONTRACT), None)
    behind = [s for s in new[new.index(first) :] if s.kind == EXPAND] if first else []
    if first and behind:
        yield Finding(
            "migrations/order",
            f"{behind[0].revision} expands after {first.revision} contracts: it could not be"
            " applied before that is",
            path=behind[0].path,
            hint="merge and release what expands; contract in a later change",
        )
