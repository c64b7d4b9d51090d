"""What every error has: a code, a name, a message, values, and a rule for what happens next."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import ClassVar


class Degrade(StrEnum):
    """What the application does after an error of a class, without asking anybody."""

    REFUSE = "refuse the request, change nothing"
    CACHED_DATA = "go on with the data already stored"
    SKIP_STRATEGY = "leave this strategy out for this bar, the others go on"
    ASK_PERSON = "leave the order as it is and ask a person"
    STOP_TRADING = "send no more orders of this kind until the cause is gone"
    RETRY = "retry with growing pauses, report not ready meanwhile"
    REFUSE_AND_RECORD = "refuse the request and record the attempt"


class TradingError(Exception):
    """Something went wrong that nobody foresaw."""

    code: ClassVar[int] = 1000
    degrade: ClassVar[Degrade] = Degrade.REFUSE
    http_status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1  # 1 a check failed · 2 bad input or usage

    def __init__(self, message: str = "", **fields: object) -> None:
        """`message`: what was wrong and what to do next. `fields`: the values, for machines."""
        self.message = message or (type(self).__doc__ or "").partition("\n")[0]
        self.fields = fields
        super().__init__(self.message)

    @property
    def name(self) -> str:
        """The class name in capitals, `NoData` → `NO_DATA`: stable, for machines."""
        return error_name(type(self))

    def machine(self) -> str:
        """`NO_DATA: symbol=ABC, bars=0`"""
        values = ", ".join(f"{key}={value}" for key, value in self.fields.items())
        return f"{self.name}: {values}" if values else self.name

    def as_dict(self) -> dict[str, object]:
        """The JSON form, equal in the API, in command output and in stored events."""
        return {
            "error": self.name,
            "code": self.code,
            "message": self.message,
            "degrade": self.degrade.value,
            "fields": {key: _plain(value) for key, value in self.fields.items()},
        }


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return str(value)


def error_name(kind: type[TradingError]) -> str:
    """`NoData` → `NO_DATA`"""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind.__name__).upper()


def all_errors() -> Iterator[type[TradingError]]:
    """Every class of the tree, the root first."""
    pending: list[type[TradingError]] = [TradingError]
    while pending:
        kind = pending.pop(0)
        yield kind
        pending.extend(kind.__subclasses__())
