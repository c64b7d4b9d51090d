"""When two values say the same, which values say nothing, and which the server filled in."""

from __future__ import annotations

from typing import Any

from pipelines.engine.difference.quantities import same_amount
from pipelines.engine.difference.shapes import Form, Shape


def same(want: object, have: object, form: Form) -> bool:
    """Scalars; true is not 1, but 1 is 1.0 (JSON has one kind of number)."""
    if want == have:
        return isinstance(want, bool) == isinstance(have, bool)
    if form is Form.PLAIN or form is Form.JSON or want is None or have is None:
        return False
    if form is Form.QUANTITY:
        return same_amount(want, have)
    if form is Form.INT_OR_STRING:
        return str(want) == str(have)
    return _bytes(want) == _bytes(have)


def _bytes(value: object) -> object:
    """The decoder of base64 skips line ends, which block scalars of YAML leave in."""
    return value.translate({10: None, 13: None}) if isinstance(value, str) else value


def says_nothing(value: Any, shape: Shape) -> bool:
    """Whether the server may drop this value: empty, and not of a field that keeps its emptiness.

    The server's types drop false, 0, "", [] and {} from fields that are no pointers; keys of maps
    stay, whatever they hold. A custom resource is stored as it is written, so only what holds
    nothing at all is nothing there.
    """
    if value is None or value == "":
        return True
    if isinstance(value, dict):
        return all(
            child is None or (not shape.keeps(name) and says_nothing(child, shape.of(name)))
            for name, child in value.items()
        )
    if isinstance(value, list):
        return not value
    return not value and not shape.open


def is_default(there: Any, name: str, shape: Shape) -> bool:
    """Whether live has what the server puts where nothing is asked for."""
    if name not in shape.defaults:
        return False
    known = shape.defaults[name]
    return known is None or any(there == value for value in known)
