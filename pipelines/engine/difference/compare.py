"""Structured comparison of what is wanted with what an API server says there is. Pure.

What counts is what desired sets, and what it set before and no longer does; everything else in live
belongs to defaults, controllers, webhooks or other people.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from pipelines.engine.difference.ignoring import Ignored, matching, without_ignored
from pipelines.engine.difference.learned import known_shape
from pipelines.engine.difference.normal import as_stored, as_wanted
from pipelines.engine.difference.owners import Owners
from pipelines.engine.difference.pointer import in_order
from pipelines.engine.difference.removed import no_longer_set
from pipelines.engine.difference.walk import Walk
from pipelines.model.resource import Manifest
from pipelines.model.sync import FieldChange, IgnoreRule


def changes(
    desired: Manifest, live: Manifest, ignore: Sequence[IgnoreRule] = ()
) -> tuple[FieldChange, ...]:
    """What must change in live to be what is desired, ordered by path; empty when nothing.

    Paths are JSON pointers into live; an element that a list lacks has the path `/list/-`. `old`
    is what live has, `new` what shall be there (None: to be removed). `immutable` is never set.
    """
    if desired is live:
        return ()
    written, rules = desired, matching(desired, ignore)
    if rules:
        desired = without_ignored(desired, live, rules)
    shape = known_shape(desired, live)
    wanted, there = as_wanted(desired, live), as_stored(live)
    walk = Walk()
    walk.mapping(wanted, there, shape)
    found = walk.found
    if removed := no_longer_set(live, wanted, there, shape):
        known = {change.path for change in found}
        found += [change for change in removed if not _is_within(change.path, known)]
    if not found:
        return ()
    if rules:
        ignored = Ignored(written, live, rules, shape)
        found = [change for change in found if not ignored.covers(change.path)]
    owners = Owners(live)
    return tuple(_with_owner(change, owners) for change in in_order(found))


def _is_within(path: str, known: set[str]) -> bool:
    """Whether a path or one above it is known: what goes once cannot go again."""
    steps = path.split("/")
    return any("/".join(steps[:depth]) in known for depth in range(1, len(steps) + 1))


def _with_owner(change: FieldChange, owners: Owners) -> FieldChange:
    manager, since = owners.of(change.path)
    return replace(change, manager=manager, since=since) if manager else change
