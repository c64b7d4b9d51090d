"""Walking desired and live side by side."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from pipelines.engine.difference.lists import by_key
from pipelines.engine.difference.pointer import join
from pipelines.engine.difference.scalars import is_default, same, says_nothing
from pipelines.engine.difference.shapes import PLAIN, Shape
from pipelines.model.sync import FieldChange

LOOKED_AT = 40  # elements of one list that are compared each with each


class Walk:
    """Collects differences in `found`; `path` is where it stands in live. `whole`: it stands inside
    a list that is applied as a whole, where what desired does not set goes."""

    def __init__(self, *, whole: bool = False) -> None:
        self.found: list[FieldChange] = []
        self.path: list[str | int] = []
        self.whole = whole

    def mapping(self, want: Mapping[str, Any], have: Mapping[str, Any], shape: Shape) -> None:
        fields, other = shape.fields, shape.other or PLAIN
        for name, wanted in want.items():
            there = have.get(name)
            kind = wanted.__class__
            # Most fields are equal text or lead on into equal things: no call for those.
            if wanted is None or (kind is str and wanted == there):
                continue
            if not wanted and not shape.open and is_default(there, name, shape):
                continue
            inner = fields.get(name, other)
            self.path.append(name)
            if kind is dict and there.__class__ is dict:
                self.mapping(wanted, there, inner)
            else:
                self.value(wanted, there, inner, kept=there is None and shape.keeps(name))
            self.path.pop()
        if shape.whole or (self.whole and not shape.filled):
            self._surplus(want, have, shape)

    def _surplus(self, want: Mapping[str, Any], have: Mapping[str, Any], shape: Shape) -> None:
        for name, there in have.items():
            if there is None or want.get(name) is not None:
                continue
            if not shape.keeps(name) and says_nothing(there, shape.of(name)):
                continue
            if not is_default(there, name, shape):
                self._note(there, None, name)

    def value(self, want: Any, have: Any, shape: Shape, *, kept: bool = False) -> None:
        if isinstance(want, dict):
            if isinstance(have, dict):
                return self.mapping(want, have, shape)
        elif isinstance(want, list):
            if isinstance(have, list):
                return self.sequence(want, have, shape)
        elif same(want, have, shape.form):
            return None
        if have is None and not kept and says_nothing(want, shape):
            return None
        return self._note(have, want)

    def sequence(self, want: Sequence[Any], have: Sequence[Any], shape: Shape) -> None:
        around = self.whole
        self.whole = around or shape.replaced
        self._sequence(want, have, shape)
        self.whole = around

    def _sequence(self, want: Sequence[Any], have: Sequence[Any], shape: Shape) -> None:
        if shape.members:
            return self._members(want, have)
        if shape.keys and self._by_key(want, have, shape):
            return None
        pairs = self._pairs(want, have, shape)
        if pairs is None:
            return self._note(have, want)
        for wanted, index in pairs:
            self._element(wanted, have[index], index, shape.element)
        return None

    def _members(self, want: Sequence[Any], have: Sequence[Any]) -> None:
        """Others may add to such a set; only what is wanted must be in it."""
        for wanted in want:
            if wanted not in have:
                self._note(None, wanted, "-")
        for index, there in enumerate(have) if self.whole else ():
            if there not in want:
                self._note(there, None, index)

    def _by_key(self, want: Sequence[Any], have: Sequence[Any], shape: Shape) -> bool:
        """False when the elements have no names after all."""
        wanted, there = by_key(want, shape.keys), by_key(have, shape.keys)
        if wanted is None or there is None:
            return False
        for key, position in wanted.items():
            if key in there:
                index = there[key]
                self._element(want[position], have[index], index, shape.element)
            else:
                self._note(None, want[position], "-")
        if shape.whole or self.whole:
            for key in there.keys() - wanted.keys():
                self._note(have[there[key]], None, there[key])
        return True

    def _element(self, want: Any, have: Any, index: int, shape: Shape) -> None:
        if want is None:  # null says nothing in a list either
            return
        self.path.append(index)
        self.value(want, have, shape)
        self.path.pop()

    def _pairs(
        self, want: Sequence[Any], have: Sequence[Any], shape: Shape
    ) -> list[tuple[Any, int]] | None:
        """Each wanted element with the index of its counterpart; None where the lists differ."""
        if len(want) != len(have):
            return None
        if not shape.unordered:
            return [(wanted, index) for index, wanted in enumerate(want)]
        pairs, odd, free = _matched(want, have, shape, whole=self.whole)
        if odd and not isinstance(odd[0], dict):
            return None
        return pairs + list(zip(odd, free, strict=True))

    def _note(self, old: Any, new: Any, *step: str | int) -> None:
        self.found.append(FieldChange(join([*self.path, *step]), old, new))


def _matched(
    want: Sequence[Any], have: Sequence[Any], shape: Shape, *, whole: bool
) -> tuple[list[tuple[Any, int]], list[Any], list[int]]:
    """Pairs that say the same wherever they stand, and what is left on both sides, in order.

    Written alike is told at once; defaults that the server added need a look at each pair, which
    for more than a few would take for ever: those are left in order.
    """
    places: dict[str, list[int]] = {}
    for index in reversed(range(len(have))):
        places.setdefault(_written(have[index]), []).append(index)
    pairs, unlike = [], []
    for wanted in want:
        if alike := places.get(_written(wanted)):
            pairs.append((wanted, alike.pop()))
        else:
            unlike.append(wanted)
    free = dict.fromkeys(sorted(index for left in places.values() for index in left))
    if len(unlike) > LOOKED_AT:
        return pairs, unlike, list(free)
    odd: list[Any] = []
    for wanted in unlike:
        fits = (i for i in free if _fits(wanted, have[i], shape.element, whole=whole))
        found = next(fits, None)
        if found is None:
            odd.append(wanted)
        else:
            pairs.append((wanted, found))
            del free[found]
    return pairs, odd, list(free)


def _written(value: Any) -> str:
    return json.dumps(value, sort_keys=True, default=str)


def _fits(want: Any, have: Any, shape: Shape, *, whole: bool) -> bool:
    walk = Walk(whole=whole)
    walk.value(want, have, shape)
    return not walk.found
