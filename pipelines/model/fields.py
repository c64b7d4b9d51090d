"""Reading typed fields out of a parsed mapping; every refusal names file, key, value, remedy."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from pipelines.model.errors import BadInput


class Fields:
    """One mapping of a file. `path` is where it stands (`slots.blue`), empty at the top."""

    def __init__(self, file: str, value: Any, known: Iterable[str], path: str = "") -> None:
        self.file = file
        self.path = path
        if not isinstance(value, dict):
            self._refuse(path or "the file", value, "write a mapping of `key: value` lines")
        self._values: Mapping[str, Any] = value
        known = list(known)
        for key in value:
            if key not in known:
                close = difflib.get_close_matches(key, known, n=1)
                guess = f"did you mean {close[0]!r}? " if close else ""
                raise BadInput(
                    f"{file}: unknown key {self._at(key)!r} (value {value[key]!r:.60})",
                    hint=f"{guess}known keys: {', '.join(known)}",
                )

    def has(self, key: str) -> bool:
        return key in self._values

    def raw(self, key: str) -> Any:
        """The value as it stands; BadInput when the key is missing."""
        if key not in self._values:
            raise BadInput(f"{self.file}: key {self._at(key)!r} is missing", hint="add it")
        return self._values[key]

    def text(self, key: str, *, empty: bool = False) -> str:
        value = self.raw(key)
        if not isinstance(value, str):
            self._refuse(self._at(key), value, "write text (numbers in quotes)")
        if not value and not empty:
            self._refuse(self._at(key), value, "write some text")
        return str(value)

    def choice(self, key: str, allowed: Iterable[str]) -> str:
        value, allowed = self.raw(key), list(allowed)
        if value not in allowed:
            self._refuse(self._at(key), value, f"one of: {', '.join(allowed)}")
        return str(value)

    def boolean(self, key: str) -> bool:
        value = self.raw(key)
        if not isinstance(value, bool):
            self._refuse(self._at(key), value, "write true or false")
        return bool(value)

    def number(self, key: str, low: float, high: float) -> float:
        value = self.raw(key)
        if (
            isinstance(value, bool)
            or not isinstance(value, int | float)
            or not low <= value <= high
        ):
            self._refuse(self._at(key), value, f"a number from {low:g} to {high:g}")
        return float(value)

    def integer(self, key: str, low: int, high: int) -> int:
        value = self.raw(key)
        if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
            self._refuse(self._at(key), value, f"a whole number from {low} to {high}")
        return int(value)

    def texts(self, key: str) -> tuple[str, ...]:
        value = self.raw(key)
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self._refuse(self._at(key), value, "write a list of texts: [one, two]")
        return tuple(value)

    def items(self, key: str) -> list[Any]:
        value = self.raw(key)
        if not isinstance(value, list):
            self._refuse(self._at(key), value, "write a list")
        return list(value)

    def mapping(self, key: str) -> dict[str, Any]:
        value = self.raw(key)
        if not isinstance(value, dict):
            self._refuse(self._at(key), value, "write a mapping of `key: value` lines")
        return dict(value)

    def sub(self, key: str, known: Iterable[str]) -> Fields:
        return Fields(self.file, self.raw(key), known, self._at(key))

    def _at(self, key: str) -> str:
        return f"{self.path}.{key}" if self.path else key

    def _refuse(self, where: str, value: Any, remedy: str) -> None:
        raise BadInput(f"{self.file}: {where}: {value!r:.80} is not allowed", hint=remedy)
