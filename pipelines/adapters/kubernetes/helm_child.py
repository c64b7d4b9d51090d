"""The process that holds Helm's library: one JSON line in, one JSON line out.

A program of its own, started with the interpreter alone and importing nothing of the engine: the
library takes 58 MB and seven threads, and nobody knows how it dies. It ends when its input ends,
even in the middle of a rendering.
"""

from __future__ import annotations

import json
import os
import queue
import sys
import tempfile
import threading
from dataclasses import dataclass
from typing import Any

_SCHEMA = "values.schema.json"


@dataclass(frozen=True, slots=True)
class Loaded:
    """A chart as it lies in its folder, whose files looked like `state`; `bare` is without the
    schema, which Helm compiles anew for every rendering: `schema` is compiled once, or None."""

    state: tuple[Any, ...]
    whole: Any
    bare: Any
    schema: Any

    def judge(self, values: dict[str, Any]) -> None:
        """Raises HelmValuesError with Helm's own words. Helm is asked where the compiled schema finds
        something wrong, and where values take defaults away: the two may merge those otherwise."""
        known = self.schema is not None and not _takes_away(values)
        if not (known and self.schema.is_valid(self.whole.merge_values(values))):
            self.whole.validate_schema(values)


def main() -> None:
    """Answers `{"documents": {path: text}}`, `{"refused": words}` or `{"broken": words}`."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever the library prints is no answer
    asked: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(asked,), daemon=True).start()
    try:
        import helm_python
        import jsonschema_rs  # noqa: F401  said here, not at the first chart
    except Exception as error:
        _say(answers, {"broken": f"{type(error).__name__}: {error}"})
        return
    _say(answers, {"ready": f"{helm_python.helm_sdk_version()}"})
    charts: dict[str, Loaded] = {}
    while True:
        _say(answers, _answer(helm_python, charts, json.loads(asked.get())))


def _read(asked: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        asked.put(line)
    os._exit(0)


def _say(answers: Any, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def _answer(helm: Any, charts: dict[str, Loaded], ask: dict[str, Any]) -> dict[str, Any]:
    try:
        chart = _chart(helm, charts, ask["chart"])
        chart.judge(ask["values"])
        documents = chart.bare.render(ask["values"], name=ask["name"], namespace=ask["namespace"])
    except helm.HelmPanicError as error:
        return {"broken": str(error)}
    except helm.HelmError as error:
        return {"refused": str(error)}
    return {"documents": documents}


def _chart(helm: Any, charts: dict[str, Loaded], folder: str) -> Loaded:
    """Loaded again only when a file of it is another one."""
    state = tuple(
        (entry, found.st_mtime_ns, found.st_size, found.st_ino)
        for entry, found in ((path, os.stat(path)) for path in _files(folder))
    )
    known = charts.get(folder)
    if known is not None and known.state == state:
        return known
    whole = helm.Chart.load(folder)
    charts[folder] = Loaded(state, whole, _bare(helm, whole), _compiled(whole))
    return charts[folder]


def _compiled(whole: Any) -> Any:
    """None where there is nothing to judge, and where charts lie in the chart: each has a schema."""
    import jsonschema_rs

    schema = whole.schema
    if not schema or whole.dependencies:
        return None
    try:
        return jsonschema_rs.validator_for(schema)
    except ValueError:
        return None


def _takes_away(values: Any) -> bool:
    if isinstance(values, dict):
        return any(_takes_away(value) for value in values.values())
    return values is None


def _bare(helm: Any, whole: Any) -> Any:
    with tempfile.TemporaryDirectory(prefix="slipway-helm-") as folder:
        copy = whole.save_dir(folder)
        if not os.path.exists(os.path.join(copy, _SCHEMA)):
            return whole
        os.unlink(os.path.join(copy, _SCHEMA))
        return helm.Chart.load(copy)


def _files(folder: str) -> list[str]:
    return sorted(
        os.path.join(where, name) for where, _, names in os.walk(folder) for name in names
    )


if __name__ == "__main__":
    main()
