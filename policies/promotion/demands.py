"""Each demand as a question to the evidence: what it lacks, and the command that gets it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from pipelines.model.evidence import APPROVAL, CHECK, REHEARSAL, SOAK, says_nothing
from policies.promotion.data import Demand
from policies.promotion.statements import Said, about

VALIDATED = ("policy", "quality", "strategy", "render")
_CLOCKS_DIFFER = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Lack:
    """What is missing, in words, and what to type."""

    words: str
    hint: str


@dataclass(frozen=True, slots=True)
class Case:
    """What the questions are asked about."""

    release: str
    source: str
    environment: str
    now: datetime
    statements: tuple[Said, ...]
    pending_migrations: tuple[str, ...]
    local: bool
    max_age_hours: float
    roles: Mapping[str, tuple[str, ...]]

    def counting(
        self, what: str, speaker: str, said: list[Said], environment: str = ""
    ) -> tuple[list[Said], str]:
        """Those that count, newest last, and why the newest of the others does not."""
        roles = [r.replace("{environment}", environment) for r in self.roles[speaker]]
        counted, why = [], ""
        for one in said:
            if not one.own_source:
                why = f"{what} is about another source"
            elif one.role not in roles:
                why = f"{what} is said by {one.role}, whose word does not count for it"
            elif one.at > self.now + _CLOCKS_DIFFER:
                why = f"{what} is dated {one.at.isoformat()}, which is in the future"
            else:
                counted.append(one)
        return counted, why


def _stage(case: Case, stage: str) -> list[Lack]:
    """The newest word about a stage must be good and not too old; that a change left the source as
    it was is no word about it."""
    what = f"check of stage {stage}"
    said = about(case.statements, CHECK, stage=stage)
    words = [one for one in said if not says_nothing(one.predicate, case.source)]
    counted, why = case.counting(what, "check", words)
    if said and not words:
        why = f"{what} had nothing to judge: its change left the source what it was"
    hint = f"push its branch to be checked: git push slipway HEAD; slipway evidence show {case.release}"
    if said and not words:
        hint = "it is on develop past every check (slipway up, git by hand): change it on a branch"
    if not counted:
        return [Lack(why or f"no {what}", hint)]
    newest = counted[-1]
    status = newest.predicate.get("status")
    if status not in ("passed", "untouched"):
        return [Lack(f"{what} says {status!r:.40}", hint)]
    hours = (case.now - newest.at).total_seconds() / 3600
    if hours > case.max_age_hours:
        allowed = f"at most {case.max_age_hours:g} h are allowed"
        return [Lack(f"{what} is {hours:.0f} h old, {allowed}", hint)]
    return []


def _validated(case: Case, _: Demand) -> list[Lack]:
    return [lack for stage in VALIDATED for lack in _stage(case, stage)]


def _scanned(case: Case, _: Demand) -> list[Lack]:
    return _stage(case, "security")


def _rehearsed(case: Case, _: Demand) -> list[Lack]:
    """The stage always; what is pending also on the data of a real backup."""
    lacks = _stage(case, "migrations")
    if case.pending_migrations and (why := _unrehearsed(case)):
        names = ", ".join(case.pending_migrations)
        words = f"pending migrations {names} were not rehearsed on a backup: {why}"
        hint = f"slipway backup {case.environment}, then slipway check --stage migrations"
        lacks.append(Lack(words, hint))
    return lacks


def _unrehearsed(case: Case) -> str:
    """Why the newest rehearsal on a backup is none for what is pending; empty when it is."""
    said = about(case.statements, REHEARSAL)
    counted, why = case.counting("the rehearsal", "rehearsal", said)
    real = [one.predicate for one in counted if one.predicate.get("data") == "backup"]
    if not real:
        return "it ran on generated data only" if counted else why or "there is no rehearsal"
    if real[-1].get("ok") is not True:
        return "it failed"
    left_out = set(case.pending_migrations) - set(_texts(real[-1].get("migrations")))
    return f"it left out {', '.join(sorted(left_out))}" if left_out else ""


def _texts(value: object) -> list[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []


def _soaks(case: Case, environment: str) -> tuple[list[Said], str]:
    said = about(case.statements, SOAK, environment=environment)
    counted, why = case.counting(f"soak in {environment}", "soak", said, environment)
    own = [one for one in counted if _names(one, case.release)]
    if counted and not own:
        why = f"soak in {environment} is about {counted[-1].release or 'another release'}"
    return own, why


def _names(said: Said, release: str) -> bool:
    """Whether the statement is about this release, in its head and in its predicate."""
    named = {said.release, said.predicate.get("release", "")} - {""}
    return named == {release}


def _soaked(case: Case, demand: Demand) -> list[Lack]:
    own, why = _soaks(case, demand.environment)
    hint = f"slipway promote {demand.environment} {case.release}"
    if not own:
        return [Lack(why or f"no soak in {demand.environment}", hint)]
    lasted = own[-1].predicate.get("soak_seconds")
    if not own[-1].predicate.get("confirmed_at"):
        return [Lack(f"its soak in {demand.environment} was never confirmed", hint)]
    if isinstance(lasted, bool) or not isinstance(lasted, int | float) or lasted < demand.seconds:
        words = (
            f"it soaked {lasted!r:.20} s in {demand.environment}, {demand.seconds:g} s are asked"
        )
        return [Lack(words, hint)]
    return []


def _shadow_equal(case: Case, demand: Demand) -> list[Lack]:
    own, why = _soaks(case, demand.environment)
    hint = f"slipway promote {demand.environment} {case.release}"
    if not own:
        return [Lack(why or f"no shadow run in {demand.environment}", hint)]
    shadow = own[-1].predicate.get("shadow")
    if not isinstance(shadow, Mapping) or shadow.get("ok") is not True:
        return [Lack(f"its shadow run in {demand.environment} was not equal", hint)]
    samples = shadow.get("samples")
    if isinstance(samples, bool) or not isinstance(samples, int) or samples < 1:
        return [Lack(f"its shadow run in {demand.environment} compared nothing", hint)]
    return []


def _approvals(case: Case, demand: Demand) -> list[Lack]:
    counted, why = case.counting("approval", "approval", about(case.statements, APPROVAL))
    own = [one for one in counted if one.predicate.get("self_approval") is True]
    people = {one.predicate.get("actor") for one in counted if one not in own} - {None, ""}
    if (case.local and own) or len(people) >= demand.count:
        return []
    if own and not case.local:
        why = "a self-approval counts on a local installation only"
    words = f"{len(people)} of {demand.count} approvals" + (f": {why}" if why else "")
    return [Lack(words, 'slipway approve BRANCH --reason "…"')]


ASK: Mapping[str, Callable[[Case, Demand], list[Lack]]] = {
    "validated": _validated,
    "scanned": _scanned,
    "rehearsed": _rehearsed,
    "soaked": _soaked,
    "shadow_equal": _shadow_equal,
    "approvals": _approvals,
}
