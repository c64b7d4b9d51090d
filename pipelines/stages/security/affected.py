"""Whether an advisory speaks of a release. Pure.

Source: OSV schema, "Evaluation" (https://ossf.github.io/osv-schema/#evaluation); versions are
compared as PEP 440 says. Two differences, both on the careful side: the local part of a version
(`1.2+cu118`) is left out, as a rebuilt package has the faults of what it was built from; and a record
that cannot be evaluated is `None`, which is not "no".
"""

from __future__ import annotations

from packaging.version import InvalidVersion, Version

from pipelines.model.advisory import Advisory

_ORDER = {"fixed": 0, "introduced": 1, "last_affected": 2}  # at one version: rather affected


def affects(advisory: Advisory, version: str) -> bool | None:
    """None when the record names no releases or its versions cannot be compared."""
    if advisory.withdrawn:
        return False
    if not advisory.ranges and not advisory.versions:
        return None
    try:
        public = Version(Version(version).public)
    except InvalidVersion:
        return None
    if any(_same(public, version, named) for named in advisory.versions):
        return True
    answers = [_in_range(events, public) for events in advisory.ranges]
    if True in answers:
        return True
    return None if None in answers else False


def fixed_in(advisory: Advisory, version: str) -> str:
    """The lowest release above `version` that a range names as fixed; empty when none is named."""
    try:
        public = Version(version)
        fixes = [Version(v) for events in advisory.ranges for kind, v in events if kind == "fixed"]
    except InvalidVersion:
        return ""
    later = [fix for fix in fixes if fix > public]
    return str(min(later)) if later else ""


def _same(public: Version, written: str, named: str) -> bool:
    try:
        return Version(Version(named).public) == public
    except InvalidVersion:
        return named == written


def _in_range(events: tuple[tuple[str, str], ...], version: Version) -> bool | None:
    """Walks the events upwards. A range without `introduced` says nothing that can be used."""
    if not any(kind == "introduced" for kind, _ in events):
        return None
    try:
        walk = sorted(((_event(text), _ORDER[kind], kind) for kind, text in events))
    except InvalidVersion:
        return None
    inside = False
    for at, _, kind in walk:
        if kind == "introduced" and version >= at:
            inside = True
        if (kind == "fixed" and version >= at) or (kind == "last_affected" and version > at):
            inside = False
    return inside


def _event(text: str) -> Version:
    """`0` as introduced means "from the first release on", pre-releases of it too."""
    return Version("0.dev0") if text == "0" else Version(text)
