"""Run a load in a thread of its own, so that a test can do something else meanwhile."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Coroutine
from typing import Any


class Background:
    """Subclasses implement `_run`, which ends soon after `self.stopping` is set."""

    def __init__(self) -> None:
        self.stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._problem: BaseException | None = None

    def _run(self) -> Coroutine[Any, Any, None]:
        raise NotImplementedError

    def _work(self) -> None:
        try:
            asyncio.run(self._run())
        except BaseException as problem:
            self._problem = problem

    def start(self) -> None:
        self._thread = threading.Thread(target=self._work, name=type(self).__name__, daemon=True)
        self._thread.start()

    def stop(self, timeout_seconds: float = 60) -> None:
        """End and wait; raises what the load itself died of."""
        self.stopping.set()
        if self._thread is not None:
            self._thread.join(timeout_seconds)
            if self._thread.is_alive():
                raise TimeoutError(f"{type(self).__name__} did not end in {timeout_seconds:.0f} s")
        if self._problem is not None:
            raise self._problem

    def check(self) -> None:
        """Raise what the load died of, if it died."""
        if self._problem is not None:
            raise self._problem
