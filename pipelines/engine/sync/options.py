"""Sync options: which exist, where they may stand, and which value counts for an object.

An option is `Name=value`. Of an application those that are `true` are kept by name, others whole
(`Prune=confirm`). An object's own annotation beats the application's.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from pipelines.engine.sync import notes
from pipelines.model.errors import BadInput
from pipelines.model.resource import Resource

SWITCH = ("true", "false")
APPLICATION = {
    "ApplyOutOfSyncOnly": SWITCH,
    "CreateNamespace": SWITCH,
    "FailOnSharedResource": ("true",),  # always so here: what another application tracks is refused
    "Force": SWITCH,
    "Prune": ("true", "false", "confirm"),
    "PruneLast": SWITCH,
    "Replace": SWITCH,
    "RespectIgnoreDifferences": SWITCH,
    "ServerSideApply": ("true",),  # always so here
    "SkipDryRunOnMissingResource": SWITCH,
    "Validate": ("true",),
}
RESOURCE = {
    "Delete": (*SWITCH, "confirm"),  # is about deleting an application, which Slipway never does
    "Force": SWITCH,
    "Prune": ("true", "false", "confirm"),
    "PruneLast": SWITCH,
    "Replace": SWITCH,
    "ServerSideApply": ("true",),
    "SkipDryRunOnMissingResource": SWITCH,
    "Validate": ("true",),
}


def parse(texts: Iterable[str], where: str, known: dict[str, tuple[str, ...]]) -> dict[str, str]:
    """Name → value. Raises BadInput for what is unknown or has another value than those known."""
    found: dict[str, str] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if name not in known or not equals:
            close = difflib.get_close_matches(name, known, n=1)
            guess = f"did you mean {close[0]}={known[close[0]][0]}? " if close else ""
            raise BadInput(
                f"{where}: sync option {text!r} is not supported",
                hint=f"{guess}supported: {', '.join(known)}",
            )
        if value not in known[name]:
            raise BadInput(
                f"{where}: sync option {text!r} is not supported",
                hint=f"{name} may be: {', '.join(known[name])}",
            )
        found[name] = value
    return found


def of_application(texts: Iterable[str], where: str) -> frozenset[str]:
    """What `SyncSettings.options` holds."""
    found = parse(texts, where, APPLICATION)
    _refuse_force_alone(found, where)
    return frozenset(
        name if value == "true" else f"{name}={value}"
        for name, value in found.items()
        if value != "false" or name == "Prune"
    )


def check(resource: Resource) -> None:
    """Raises BadInput for an object's options that are unknown."""
    texts = notes.values(resource.annotations, notes.SYNC_OPTIONS)
    if texts:
        where = f"{resource.origin}: annotation {notes.SYNC_OPTIONS}"
        _refuse_force_alone(parse(texts, where, RESOURCE), where, inherited=True)


def _refuse_force_alone(found: dict[str, str], where: str, *, inherited: bool = False) -> None:
    replaced = found.get("Replace")
    if found.get("Force") == "true" and replaced != "true" and not (inherited and not replaced):
        raise BadInput(
            f"{where}: Force=true works together with Replace=true only",
            hint="add Replace=true: the object is then deleted and created anew",
        )


def value(resource: Resource, name: str, application: frozenset[str]) -> str:
    """The value that counts for one object, empty where nobody says anything."""
    prefix = f"{name}="
    for text in notes.values(resource.annotations, notes.SYNC_OPTIONS):
        if text.startswith(prefix):
            return text[len(prefix) :]
    if name in application:
        return "true"
    return next((text[len(prefix) :] for text in application if text.startswith(prefix)), "")


def on(resource: Resource, name: str, application: frozenset[str]) -> bool:
    return value(resource, name, application) == "true"
