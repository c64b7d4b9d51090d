"""The part that asks what is known against the pinned packages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from packaging.version import Version

from pipelines.model.advisory import IndexRecord, Snapshot
from pipelines.model.check import Change, Finding
from pipelines.model.errors import SlipwayError
from pipelines.stages.protocol import Workshop
from pipelines.stages.security.affected import affects, fixed_in
from pipelines.stages.security.lock_file import Pin, find_locks, read_lock
from pipelines.stages.security.part import Broken, Part
from policies import rooms

NAME, WHAT = "dependencies", "releases of packages looked up"
RULE = "dependencies"
POLICY = f"policies/{RULE}/policy.yaml"
DAY_SECONDS = 86_400


@dataclass(frozen=True, slots=True)
class Hole:
    """Something known against a pin, under one id and its other names."""

    pin: Pin
    id: str
    aliases: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    summary: str = ""


@dataclass(frozen=True, slots=True)
class Known:
    """What a source said. `unknown` gives for a pin why it could say nothing."""

    holes: tuple[Hole, ...]
    unknown: tuple[tuple[Pin, str], ...]
    findings: tuple[Finding, ...] = ()
    document: Mapping[str, Any] = field(default_factory=dict)
    age_days: float | None = None
    inputs: Mapping[str, str] = field(default_factory=dict)


def audit(change: Change, workshop: Workshop) -> Part:
    """Every pin of every lock of head. `broken` when no source of advisories answers."""
    try:
        return _audit(change, workshop)
    except (Broken, SlipwayError) as error:
        return Part(NAME, WHAT, 0, broken=error.message, hint=error.hint)


def _audit(change: Change, workshop: Workshop) -> Part:
    locks, findings = find_locks(change.head.folder)
    pins: list[Pin] = []
    counts: dict[str, int] = {}
    for lock in locks:
        found, problems = read_lock(lock, change.head.text(lock) or "")
        pins += found
        counts[lock] = len(found)
        findings += problems
    unique = list({(pin.name, pin.version): pin for pin in reversed(pins)}.values())
    unique.sort(key=lambda pin: (pin.name, pin.version))
    data = policy_data(change)
    known = _ask(unique, workshop)
    findings += [*known.findings, *judge(pins, known, workshop, data)]
    return Part(
        NAME,
        WHAT,
        len(unique),
        findings=tuple(findings),
        document={
            "locks": counts,
            "releases": len(unique),
            "max_age_days": data["max_age_days"],
            "holes": [[h.id, h.pin.name, h.pin.version] for h in known.holes],
            "unknown": [f"{pin.name}=={pin.version}" for pin, _ in known.unknown],
            **known.document,
        },
        observed={} if known.age_days is None else {"snapshot_age_days": round(known.age_days, 1)},
        inputs=known.inputs,
    )


def policy_data(change: Change) -> Mapping[str, Any]:
    """Of the branch that the merge goes to; where it has none yet, what came with the engine. Raises
    BadInput when it cannot be read."""
    text = change.rules.text(POLICY)
    return rooms.packaged_data(RULE) if text is None else rooms.load_data(RULE, text)


def judge(
    pins: Sequence[Pin], known: Known, workshop: Workshop, data: Mapping[str, Any]
) -> list[Finding]:
    """The policy's verdict: on the source and what it does not know, then hole by hole, so that each
    finding names the lock and line of its pin. `pins` are those of all locks, the same one twice too."""
    facts: dict[str, Any] = {
        "today": workshop.now().date().isoformat(),
        "packages": len({(pin.name, pin.version) for pin in pins}),
        "hits": [],
        "unknown": [f"{pin.name}=={pin.version} ({why})" for pin, why in known.unknown],
        "snapshot_age_days": known.age_days,
    }
    found = rooms.judge(RULE, facts, data)
    facts |= {"unknown": [], "snapshot_age_days": None}
    for hole in known.holes:
        hit = {
            "package": hole.pin.name,
            "version": hole.pin.version,
            "id": hole.id,
            "aliases": list(hole.aliases),
            "fixed": list(hole.fixed),
            "locks": [
                p.lock for p in pins if (p.name, p.version) == (hole.pin.name, hole.pin.version)
            ],
        }
        for finding in rooms.judge(RULE, {**facts, "hits": [hit]}, data):
            summary = f": {hole.summary}" if hole.summary else ""
            found.append(
                replace(
                    finding,
                    rule=f"advisory/{hole.id}",
                    message=f"{finding.message}{summary}",
                    path=hole.pin.lock,
                    line=hole.pin.line,
                )
            )
    return found


def _ask(pins: Sequence[Pin], workshop: Workshop) -> Known:
    file = workshop.options.advisories
    names = sorted({pin.name for pin in pins})
    if file is not None:
        if workshop.advisory_snapshot is None:
            raise Broken("nobody can read a snapshot of advisories here")
        snapshot = workshop.advisory_snapshot(file, names)
        age = (workshop.now() - _moment(snapshot)).total_seconds() / DAY_SECONDS
        return from_snapshot(pins, snapshot, age)
    if workshop.package_index is None:
        raise Broken(
            "there is no snapshot of advisories, and nobody can ask a package index here",
            hint="slipway check --advisories FILE",
        )
    return from_index(pins, workshop.package_index(names))


def _moment(snapshot: Snapshot) -> Any:
    from datetime import datetime

    return datetime.fromisoformat(snapshot.modified)


def from_snapshot(pins: Sequence[Pin], snapshot: Snapshot, age_days: float) -> Known:
    holes: list[Hole] = []
    unknown: list[tuple[Pin, str]] = []
    for pin in pins:
        for advisory in snapshot.advisories:
            if advisory.package != pin.name:
                continue
            answer = affects(advisory, pin.version)
            if answer is None:
                # Nobody says which releases it means. It counts until somebody says it does not.
                text = f"does not say which releases it means; {advisory.summary}"
                holes.append(Hole(pin, advisory.id, advisory.aliases, (), text))
            elif answer:
                fix = fixed_in(advisory, pin.version)
                fixed = (fix,) if fix else ()
                holes.append(Hole(pin, advisory.id, advisory.aliases, fixed, advisory.summary))
    return Known(
        holes=tuple(merged(holes)),
        unknown=tuple(unknown),
        document={
            "source": "snapshot",
            "snapshot": {
                "modified": snapshot.modified,
                "records": snapshot.records,
                "about_our_packages": len(snapshot.advisories),
                "withdrawn": sum(a.withdrawn for a in snapshot.advisories),
                "dates_set_aside": snapshot.set_aside,
                "sha256": snapshot.sha256,
            },
        },
        age_days=age_days,
        inputs={"advisories": snapshot.sha256},
    )


def merged(holes: Sequence[Hole]) -> list[Hole]:
    """Records about the same hole of the same pin (they name each other, or share a name) as one."""
    kept: list[Hole] = []
    for hole in sorted(holes, key=lambda h: (h.pin.name, h.pin.version, h.id)):
        names = {hole.id, *hole.aliases}
        twin = next(
            (k for k in kept if k.pin == hole.pin and names & {k.id, *k.aliases}),
            None,
        )
        if twin is None:
            kept.append(hole)
            continue
        aliases = tuple(sorted((names | set(twin.aliases)) - {twin.id}))
        fixed = tuple(sorted({*twin.fixed, *hole.fixed}, key=Version))
        kept[kept.index(twin)] = replace(twin, aliases=aliases, fixed=fixed)
    return kept


def from_index(pins: Sequence[Pin], records: Mapping[str, IndexRecord | str]) -> Known:
    holes: list[Hole] = []
    unknown: list[tuple[Pin, str]] = []
    findings: list[Finding] = []
    for pin in pins:
        record = records.get(pin.name, "the package index was not asked")
        if isinstance(record, str):
            unknown.append((pin, record))
        elif not _is(pin.version, record.newest):
            unknown.append((pin, f"the index speaks of {record.newest} only"))
        elif record.vulnerable is None:
            unknown.append((pin, "the index keeps no list of advisories"))
        else:
            holes += [Hole(pin, key, also) for key, also in sorted(record.vulnerable.items())]
            if record.yanked:
                findings.append(_yanked(pin))
    return Known(tuple(merged(holes)), tuple(unknown), tuple(findings), {"source": "index"})


def _yanked(pin: Pin) -> Finding:
    return Finding(
        "dependencies/yanked",
        f"{pin.name} {pin.version} was taken back by its authors",
        path=pin.lock,
        line=pin.line,
        hint="pin another release, and lock again",
    )


def _is(version: str, newest: str) -> bool:
    try:
        return Version(version) == Version(newest)
    except ValueError:
        return False
