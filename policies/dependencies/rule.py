"""Whether anything is known against the pinned packages, and whether somebody knew at all.

Facts: `today` (day, ISO 8601); `packages` (how many pins were looked up); `hits`, each `{package,
version, id, aliases, fixed}` of an advisory that fits; `unknown` (pins nobody could answer for);
`snapshot_age_days` (None for live answers). A hit may say in which `locks` it was found (paths); one
that is only in locks of `warning_locks` is a warning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from pipelines.model.check import Finding
from pipelines.model.errors import BadInput
from pipelines.model.fields import Fields

RULE = "dependencies"
_KEYS = ("today", "packages", "hits", "unknown", "snapshot_age_days")
_LONGEST_DAYS = 3660


def _day(fields: Fields, key: str) -> date:
    try:
        return date.fromisoformat(fields.text(key))
    except ValueError:
        raise BadInput(
            f"{fields.file}: {key}: {fields.text(key)!r:.60} is no day", hint="write 2026-12-31"
        ) from None


@dataclass(frozen=True, slots=True)
class Hit:
    """`fixed`: versions without the hole, oldest first. `locks`: where it is pinned."""

    package: str
    version: str
    id: str
    aliases: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    locks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Facts:
    today: date
    packages: int
    hits: tuple[Hit, ...]
    unknown: tuple[str, ...]
    snapshot_age_days: float | None

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Facts:
        fields = Fields(f"facts of {RULE}", mapping, _KEYS)
        live = fields.raw("snapshot_age_days") is None
        return cls(
            today=_day(fields, "today"),
            packages=fields.integer("packages", 0, 1_000_000),
            hits=tuple(map(_hit, fields.items("hits"))),
            unknown=fields.texts("unknown"),
            snapshot_age_days=None if live else fields.number("snapshot_age_days", -1e6, 1e6),
        )


def _hit(item: Any) -> Hit:
    known = ("package", "version", "id", "aliases", "fixed", "locks")
    fields = Fields(f"facts of {RULE}", item, known, "hits")
    return Hit(
        package=fields.text("package"),
        version=fields.text("version"),
        id=fields.text("id"),
        aliases=fields.texts("aliases") if fields.has("aliases") else (),
        fixed=fields.texts("fixed") if fields.has("fixed") else (),
        locks=fields.texts("locks") if fields.has("locks") else (),
    )


@dataclass(frozen=True, slots=True)
class Ignore:
    """`until` is the last day on which it counts."""

    id: str
    reason: str
    until: date


@dataclass(frozen=True, slots=True)
class Data:
    max_age_days: float
    allowed_ignores: tuple[Ignore, ...]
    warning_locks: tuple[str, ...]

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any], file: str) -> Data:
        fields = Fields(file, mapping, ("max_age_days", "allowed_ignores", "warning_locks"))
        return cls(
            max_age_days=fields.number("max_age_days", 0, _LONGEST_DAYS),
            allowed_ignores=tuple(
                _ignore(file, item, f"allowed_ignores[{position}]")
                for position, item in enumerate(fields.items("allowed_ignores"))
            ),
            warning_locks=fields.texts("warning_locks"),
        )


def _ignore(file: str, item: Any, where: str) -> Ignore:
    fields = Fields(file, item, ("id", "reason", "until"), where)
    return Ignore(fields.text("id"), fields.text("reason"), _day(fields, "until"))


def judge(facts: Facts, data: Data) -> list[Finding]:
    found = [*_sources(facts, data)]
    for pin in facts.unknown:
        found.append(
            Finding(
                f"{RULE}/unknown",
                f"{pin}: nobody could say whether it has a known hole",
                hint="give a snapshot: slipway check --advisories FILE; or pin the newest release",
            )
        )
    for hit in facts.hits:
        found += _hole(hit, facts, data)
    return found


def _sources(facts: Facts, data: Data) -> list[Finding]:
    """Whether there was anything to look at, and anything to look in."""
    if facts.packages == 0:
        words = "no package was looked up, so nothing was proved"
        return [Finding(f"{RULE}/nothing", words, hint="is there a lock file?")]
    age = facts.snapshot_age_days
    if age is None or 0 <= age <= data.max_age_days:
        return []
    words = (
        f"the snapshot of advisories is {age:.0f} days old, at most {data.max_age_days:g} are allowed"
        if age > 0
        else f"the snapshot of advisories is dated {-age:.0f} days in the future"
    )
    return [Finding(f"{RULE}/snapshot", words, hint="fetch a newer one: --advisories FILE")]


def _hole(hit: Hit, facts: Facts, data: Data) -> list[Finding]:
    names = (hit.id, *hit.aliases)
    ignore = next((i for i in data.allowed_ignores if i.id in names), None)
    what = f"{hit.package} {hit.version} has {', '.join(names)}"
    if ignore and facts.today <= ignore.until:
        words = f"{what}; accepted until {ignore.until}: {ignore.reason}"
        return [Finding(f"{RULE}/{hit.id}", words, severity="note")]
    if ignore:
        what += f"; it was accepted until {ignore.until} only"
    hint = (
        f"{hit.package}>={hit.fixed[-1]}, and lock again"
        if hit.fixed
        else "no release is without it"
    )
    lenient = bool(hit.locks) and set(hit.locks) <= set(data.warning_locks)
    severity = "warning" if lenient else "error"
    return [Finding(f"{RULE}/{hit.id}", what, severity=severity, hint=hint)]
