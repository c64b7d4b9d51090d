"""Clients of a Service that never rest: who answered each of their requests, and what failed."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field

PAUSE_SECONDS = 0.05


@dataclass(frozen=True, slots=True)
class Answer:
    """`at`: of the question, on the monotonic clock. `release` is empty where `failure` is not."""

    at: float
    release: str
    keeps: bool
    failure: str = ""


@dataclass
class Watcher:
    """Half of its clients keep their connection, as long as the other side lets them; the others
    make one for each request."""

    address: str
    clients: int = 4
    answers: list[Answer] = field(default_factory=list)
    _threads: list[threading.Thread] = field(default_factory=list)
    _ended: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> Watcher:
        for number in range(self.clients):
            keeps = number % 2 == 0
            thread = threading.Thread(target=self._run, args=(keeps,), daemon=True)
            thread.start()
            self._threads.append(thread)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        for thread in self._threads:
            thread.join(timeout=10)

    def since(self, moment: float) -> Sequence[Answer]:
        return [answer for answer in list(self.answers) if answer.at >= moment]

    def releases(self, moment: float) -> Counter[str]:
        """How many requests each release answered since then."""
        return Counter(answer.release for answer in self.since(moment) if not answer.failure)

    def ways(self, moment: float) -> set[tuple[bool, str]]:
        """Whether its client keeps connections, and which release answered: every pair there was."""
        return {(one.keeps, one.release) for one in self.since(moment) if not one.failure}

    def failures(self, moment: float) -> list[str]:
        return [answer.failure for answer in self.since(moment) if answer.failure]

    def last(self) -> str:
        """Which release answered last."""
        return next((a.release for a in reversed(list(self.answers)) if not a.failure), "")

    def _run(self, keeps: bool) -> None:
        connection: http.client.HTTPConnection | None = None
        while not self._ended.is_set():
            at = time.monotonic()
            connection = connection or http.client.HTTPConnection(self.address, 80, timeout=5)
            try:
                release, stays = _ask(connection)
                self.answers.append(Answer(at, release, keeps))
            except (OSError, http.client.HTTPException, ValueError) as problem:
                self.answers.append(Answer(at, "", keeps, repr(problem)))
                stays = False
            if not (keeps and stays):
                with suppress(OSError):
                    connection.close()
                connection = None
            self._ended.wait(PAUSE_SECONDS)


def _ask(connection: http.client.HTTPConnection) -> tuple[str, bool]:
    connection.request("GET", "/version")
    answer = connection.getresponse()
    said = answer.read()
    if answer.status != 200:
        raise ValueError(f"{answer.status} {said[:80]!r}")
    return str(json.loads(said)["release"]), not answer.will_close
