"""`app/slipway.yaml`: what an application offers to the delivery engine."""

from __future__ import annotations

import re

from pipelines.model import yaml_strict
from pipelines.model.errors import BadInput
from pipelines.model.fields import Fields
from pipelines.model.release import Application, ProcessSpec, ServiceSpec

FILE = "app/slipway.yaml"
SOCKETS = ("live", "slot", "control")
COMMANDS = (
    *("migrate", "validate", "reconcile", "shadow", "record", "handover", "why"),
    *("latched", "populate", "exercise", "examine"),
)

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,30}")
_MODULE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*(\.[A-Za-z_][A-Za-z0-9_]*)*")


def parse(text: str, file: str = FILE) -> Application:
    """Raises BadInput naming file, key, value and remedy."""
    fields = Fields(
        file,
        yaml_strict.load_mapping(text, file),
        ("name", "module", "processes", "services", "commands"),
    )
    application = Application(
        name=_matching(fields, "name", _NAME),
        module=_matching(fields, "module", _MODULE),
        processes=tuple(_process(fields, name) for name in _names(fields, "processes")),
        services=tuple(_service(fields, name) for name in _names(fields, "services")),
        commands=_commands(fields),
    )
    if not any("live" in process.sockets for process in application.processes):
        raise BadInput(
            f"{file}: processes: none has the socket 'live'",
            hint="the process that answers requests needs `sockets: [live, slot]`",
        )
    return application


def _names(fields: Fields, key: str) -> list[str]:
    if key != "processes" and not fields.has(key):
        return []
    names = list(fields.mapping(key))
    for name in names:
        if not _NAME.fullmatch(name):
            raise BadInput(
                f"{fields.file}: {key}.{name}: {name!r} is not a name",
                hint="lower-case letters, digits, - and _, at most 31",
            )
    return names


def _process(fields: Fields, name: str) -> ProcessSpec:
    sub = fields.sub("processes", _names(fields, "processes")).sub(name, ("args", "sockets"))
    sockets = sub.texts("sockets")
    for socket in sockets:
        if socket not in SOCKETS or sockets.count(socket) > 1:
            raise BadInput(
                f"{fields.file}: processes.{name}.sockets: {socket!r} is unknown or there twice",
                hint=f"each at most once of: {', '.join(SOCKETS)}",
            )
    return ProcessSpec(name=name, args=sub.texts("args"), sockets=sockets)


def _service(fields: Fields, name: str) -> ServiceSpec:
    sub = fields.sub("services", _names(fields, "services")).sub(name, ("args", "socket"))
    return ServiceSpec(name=name, args=sub.texts("args"), socket=_matching(sub, "socket", _NAME))


def _commands(fields: Fields) -> dict[str, tuple[str, ...]]:
    if not fields.has("commands"):
        return {}
    sub = fields.sub("commands", COMMANDS)
    return {name: sub.texts(name) for name in COMMANDS if sub.has(name)}


def _matching(fields: Fields, key: str, pattern: re.Pattern[str]) -> str:
    value = fields.text(key)
    if not pattern.fullmatch(value):
        raise BadInput(
            f"{fields.file}: {key}: {value!r} is not allowed",
            hint=f"it must match {pattern.pattern}",
        )
    return value
