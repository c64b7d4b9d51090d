"""What can be shown about a release: who said what of which digest, and whether it holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from pipelines.flows.context import Context
from pipelines.flows.evidence import proven_about
from pipelines.model.check import PASSED, UNTOUCHED, StageResult
from pipelines.model.errors import BadInput, Refused
from pipelines.model.evidence import CHECK, Proven, Statement, says_nothing
from pipelines.model.source import source_digest
from pipelines.records.audit import canonical

Rerun = Callable[[Mapping[str, Any]], StageResult]
"""Repeats the stage of a CHECK statement's predicate, with no earlier answer."""

_HEX = re.compile(r"[0-9a-f]{7,64}")


@dataclass(frozen=True, slots=True)
class Subject:
    """What evidence is asked about. `release` is empty for a source nothing was built from here."""

    source: str
    release: str = ""
    version: str = ""
    commit: str = ""


@dataclass(frozen=True, slots=True)
class Repeated:
    """One gate, repeated. `same`: status and document are what the statement says, byte by byte."""

    stage: str
    commit: str
    same: bool
    words: str


def subject_of(ctx: Context, name: str) -> Subject:
    """A release (id, unique prefix or version), a source digest or the beginning of one, or a commit
    of the origin. Raises BadInput, or Refused as the release store says it."""
    if _HEX.fullmatch(name):
        found = _by_source(ctx, name) or _by_commit(ctx, name)
        if found is not None:
            return found
    release = ctx.store.get(name)
    return Subject(source_digest(release.parts), release.id, release.version, release.source_commit)


def _by_source(ctx: Context, name: str) -> Subject | None:
    built = {source_digest(release.parts): release for release in ctx.store.all()}
    known = sorted(
        source for source in {*ctx.evidence().sources(), *built} if source.startswith(name)
    )
    if len(known) > 1:
        raise BadInput(
            f"{name} is the beginning of {len(known)} sources",
            hint=f"name more of one: {', '.join(source[:16] for source in known)}",
        )
    if not known:
        return None
    release = built.get(known[0])
    if release is None:
        return Subject(known[0])
    return Subject(known[0], release.id, release.version, release.source_commit)


def _by_commit(ctx: Context, name: str) -> Subject | None:
    """None when no branch of the origin has such a commit."""
    if not ctx.source().branches_with(name):
        return None
    source = source_digest(ctx.source().trees(name))
    found = _by_source(ctx, source)
    return found if found and found.release else Subject(source, commit=name)


def problems_of(ctx: Context, subject: Subject, gates: Sequence[str]) -> tuple[Proven, list[str]]:
    """Everything that speaks against believing it, or against one of the gates."""
    proven = proven_about(ctx, subject.source)
    problems = list(proven.problems)
    if not proven.statements and not problems:
        problems.append(f"nobody has said anything about source {subject.source[:12]}")
    if not problems:
        problems += [words for gate in gates if (words := _gate_problem(proven, gate))]
    return proven, problems


def _gate_problem(proven: Proven, gate: str) -> str:
    newest = proven.newest_check(gate)
    if newest is None:
        return f"nobody has said that stage {gate} passed"
    status = newest.predicate.get("status")
    if status in (PASSED, UNTOUCHED):
        return ""
    return f"stage {gate} {status}: {newest.predicate.get('summary') or 'it says no more'}"


def repeat(proven: Proven, gates: Sequence[str], rerun: Rerun) -> list[Repeated]:
    """Each gate again as its newest statement says it was asked; all that were ever checked when
    none is named. Raises Refused when there is nothing to repeat, or a gate was never checked."""
    stages = list(gates) or sorted(
        {
            str(one.predicate.get("stage"))
            for one in proven.statements
            if one.predicate_type == CHECK and not says_nothing(one.predicate, proven.source)
        }
    )
    if not stages:
        raise Refused(
            f"no gate was ever checked for source {proven.source[:12]}: there is nothing to repeat",
            hint="push its branch: git push slipway HEAD; then: slipway check --follow BRANCH",
        )
    return [_repeat_one(proven, stage, rerun) for stage in stages]


def _repeat_one(proven: Proven, stage: str, rerun: Rerun) -> Repeated:
    said = proven.newest_check(stage)
    if said is None:
        raise Refused(
            f"stage {stage} was never checked for source {proven.source[:12]}",
            hint="push its branch: git push slipway HEAD; then: slipway check --follow BRANCH",
        )
    before = said.predicate
    now = rerun(before)
    same = now.status == before.get("status") and (
        canonical(dict(now.document)) == canonical(dict(before.get("document") or {}))
    )
    commit = str(before.get("commit", ""))
    if same:
        size = len(canonical(dict(now.document)).encode())
        return Repeated(stage, commit, True, f"{now.status} again, {size} bytes are equal")
    return Repeated(stage, commit, False, _difference(before, now))


def _difference(before: Mapping[str, Any], now: StageResult) -> str:
    """What came out otherwise, and which inputs or tools are not those of that time."""
    words = [f"was {before.get('status')}, is {now.status} ({now.summary})"]
    document: Mapping[str, Any] = before.get("document") or {}
    if keys := _differing(document, now.document):
        words.append(f"document differs in {', '.join(keys)}")
    for name, there in (("inputs", now.inputs), ("tools", now.tools)):
        if keys := _differing(before.get(name) or {}, there):
            words.append(f"{name} differ: {', '.join(keys)}")
    return "; ".join(words)


def _differing(one: Mapping[str, Any], two: Mapping[str, Any]) -> list[str]:
    return sorted(
        key
        for key in {*one, *two}
        if canonical(one.get(key)) != canonical(two.get(key)) or (key in one) != (key in two)
    )


def rows_of(proven: Proven) -> list[dict[str, Any]]:
    """One row for each statement, for people."""
    return [
        {
            "number": one.sequence,
            "at": one.at,
            "says": one.role if one.role.endswith(f":{one.signer}") else _who(one),
            "what": one.predicate_type.removeprefix("urn:slipway:").removesuffix(":v1"),
            "about": _about(one),
            "tools": ", ".join(f"{k} {v}" for k, v in sorted(_tools(one).items())),
        }
        for one in proven.statements
    ]


def _who(one: Statement) -> str:
    return one.role if one.role == one.signer else f"{one.role} {one.signer}"


def _tools(one: Statement) -> Mapping[str, Any]:
    tools = one.predicate.get("tools")
    return tools if isinstance(tools, dict) else {}


def _about(one: Statement) -> str:
    """The most telling words of a predicate, on one line."""
    said = one.predicate
    if one.predicate_type == CHECK:
        return f"{said.get('stage')} {said.get('status')}: {said.get('summary')}"
    keys = ("environment", "branch", "version", "operation", "soak_seconds", "reason")
    return ", ".join(f"{key} {said[key]}" for key in keys if said.get(key) not in (None, ""))


def statements_json(proven: Proven) -> list[dict[str, Any]]:
    return [asdict(one) for one in proven.statements]
