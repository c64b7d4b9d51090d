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
import threading
from typing import Any


def main() -> None:
    """Answers `{"documents": {path: text}}`, `{"refused": words}` or `{"broken": words}`."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # whatever the library prints is no answer
    asked: queue.SimpleQueue[str] = queue.SimpleQueue()
    threading.Thread(target=_read, args=(asked,), daemon=True).start()
    try:
        import helm_python
    except Exception as error:
        _say(answers, {"broken": f"{type(error).__name__}: {error}"})
        return
    _say(answers, {"ready": f"{helm_python.helm_sdk_version()}"})
    charts: dict[str, tuple[tuple[Any, ...], Any]] = {}
    while True:
        _say(answers, _answer(helm_python, charts, json.loads(asked.get())))


def _read(asked: queue.SimpleQueue[str]) -> None:
    for line in sys.stdin:
        asked.put(line)
    os._exit(0)


def _say(answers: Any, answer: dict[str, Any]) -> None:
    answers.write(json.dumps(answer) + "\n")
    answers.flush()


def _answer(helm: Any, charts: dict[str, tuple[tuple[Any, ...], Any]], ask: dict[str, Any]) -> Any:
    try:
        chart = _chart(helm, charts, ask["chart"])
        documents = chart.render(ask["values"], name=ask["name"], namespace=ask["namespace"])
    except helm.HelmPanicError as error:
        return {"broken": str(error)}
    except helm.HelmError as error:
        return {"refused": str(error)}
    return {"documents": documents}


def _chart(helm: Any, charts: dict[str, tuple[tuple[Any, ...], Any]], folder: str) -> Any:
    """Loaded again only when a file of it is another one."""
    state = tuple(
        (entry, found.st_mtime_ns, found.st_size, found.st_ino)
        for entry, found in ((path, os.stat(path)) for path in _files(folder))
    )
    known = charts.get(folder)
    if known is None or known[0] != state:
        if known is not None:
            known[1].close()
        charts[folder] = (state, helm.Chart.load(folder))
    return charts[folder][1]


def _files(folder: str) -> list[str]:
    return sorted(
        os.path.join(where, name) for where, _, names in os.walk(folder) for name in names
    )


if __name__ == "__main__":
    main()
