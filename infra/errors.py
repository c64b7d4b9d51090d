"""The one error of this program: settings that it does not build from."""

from __future__ import annotations

from typing import NoReturn


class SettingsError(Exception):
    """What is wrong, with the value, and what to write instead."""


def refuse(what: str, remedy: str) -> NoReturn:
    raise SettingsError(f"{what}; {remedy}")
