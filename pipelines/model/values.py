"""Values of an environment: `environments/<env>/values.yaml` on top of `base/values.yaml`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pipelines.model.errors import BadInput


def merge(
    base: Mapping[str, Any], over: Mapping[str, Any], file: str, path: str = ""
) -> dict[str, Any]:
    """`over` on top of `base`: mappings are merged, lists and single values replaced, `null`
    removes. A mapping replaced by something else (or the reverse) is BadInput: it is always a slip.
    """
    merged = dict(base)
    for key, value in over.items():
        where = f"{path}.{key}" if path else key
        old = merged.get(key)
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping) and isinstance(old, Mapping):
            merged[key] = merge(old, value, file, where)
        elif old is not None and isinstance(value, Mapping) != isinstance(old, Mapping):
            raise BadInput(
                f"{file}: {where}: {value!r:.60} replaces {old!r:.60} of the base values",
                hint="mappings are merged key by key; give the same kind of value",
            )
        else:
            merged[key] = merge({}, value, file, where) if isinstance(value, Mapping) else value
    return merged
