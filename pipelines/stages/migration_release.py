"""A release as it lies in a tree, run without being built: its commands and its API process."""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.model import values, yaml_strict
from pipelines.model.check import Finding, Tree
from pipelines.model.release import Application, ProcessSpec
from pipelines.stages.migration_scripts import require_application
from pipelines.stages.protocol import Done, Workshop
from pipelines.stages.rehearsal_protocol import Running

LOCK = "app/requirements.lock"
LIVE, SLOT = "SLIPWAY_LIVE_FD", "SLIPWAY_SLOT_FD"
STOP_SECONDS = 10.0
# Nothing listens there: no trader runs, so nobody asks a service.
_NOWHERE = "http://127.0.0.1:9"


class Stopped(Exception):
    """The rehearsal cannot go on; the finding says why. `broken`: the machine is to blame."""

    def __init__(self, finding: Finding, *, broken: bool = False) -> None:
        super().__init__(finding.message)
        self.finding = finding
        self.broken = broken


@dataclass(frozen=True, slots=True)
class Answer:
    """`document` is what the command printed as JSON, empty for none. `words`: why it failed."""

    ok: bool
    document: Mapping[str, Any]
    words: str
    seconds: float


class TreeRelease:
    """`what` names it for people. Files it is given lie in `folder`, nothing in the tree is written.

    Raises BadInput for a tree that offers no migrations.
    """

    def __init__(self, workshop: Workshop, tree: Tree, what: str, folder: Path) -> None:
        self.what, self.tree, self.folder = what, tree, folder
        self.application: Application = require_application(tree, what)
        self._workshop = workshop
        self._python = workshop.environments.python(tree.folder / LOCK)
        folder.mkdir(parents=True, exist_ok=True)
        self._write("token", secrets.token_urlsafe(32))
        self._write("traffic", "live\n")
        self._write("values.yaml", json.dumps(_values(tree)))

    def command(self, url: str, name: str, *arguments: str, seconds: float) -> Answer:
        """Niced, as an environment's own are: they must not take the machine from who is served."""
        if not self.application.offers(name):
            raise Stopped(
                Finding(
                    "migrations/command",
                    f"{self.what} offers no command {name}, so no migration can be rehearsed",
                    path="app/slipway.yaml",
                    hint="see docs/app-contract.md, part 5; merge the command before the migration",
                )
            )
        done = self._workshop.programs.run(
            ["nice", "-n", "10", *self._argv(self.application.commands[name]), *arguments,
             "--output", "json"],
            folder=self.folder,
            seconds=seconds,
            variables=self._variables(url),
        )  # fmt: skip
        return _answer(done, seconds)

    def serve(self, url: str) -> AbstractContextManager[Running]:
        """The process that answers requests, live."""
        process = self._serving()
        return self._start("api", url, process.args, (LIVE, SLOT))

    def exercise(self, url: str, address: str, seconds: float) -> AbstractContextManager[Running]:
        arguments = ("--url", address, "--seconds", f"{seconds:g}", "--output", "json")
        if not self.application.offers("exercise"):
            raise Stopped(
                Finding(
                    "migrations/command",
                    f"{self.what} offers no command exercise: nobody would ask it for anything"
                    " while the migration runs",
                    path="app/slipway.yaml",
                    hint="see docs/app-contract.md, part 5; merge the command before the migration",
                )
            )
        return self._start(
            "exercise", url, (*self.application.commands["exercise"], *arguments), ()
        )

    def _serving(self) -> ProcessSpec:
        """An application without one is refused when its slipway.yaml is read."""
        return next(p for p in self.application.processes if {"live", "slot"} <= {*p.sockets})

    def _start(
        self, name: str, url: str, args: Sequence[str], sockets: Sequence[str]
    ) -> AbstractContextManager[Running]:
        assert self._workshop.rehearsals is not None  # the stage is red without it
        folder = self.folder / name
        folder.mkdir(exist_ok=True)
        base = {
            "PATH": "/usr/local/bin:/usr/bin:/bin",
            "HOME": str(self.folder),
            "LANG": "C.UTF-8",
            "TZ": "UTC",
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        return self._workshop.rehearsals.start(
            self._argv(args), folder=folder, variables=base | self._variables(url), sockets=sockets
        )

    def _argv(self, args: Sequence[str]) -> list[str]:
        return [str(self._python), "-m", self.application.module, *args]

    def _variables(self, url: str) -> dict[str, str]:
        """Part 2 of docs/app-contract.md."""
        return {
            "PYTHONPATH": str(self.tree.folder / "app"),
            "SLIPWAY_ENVIRONMENT": "dev",
            "SLIPWAY_SLOT": "blue",
            "SLIPWAY_RELEASE": f"r-{self.tree.commit[:16]}",
            "SLIPWAY_DATABASE_URL": url,
            "SLIPWAY_TOKEN_FILE": str(self.folder / "token"),
            "SLIPWAY_VALUES": str(self.folder / "values.yaml"),
            "SLIPWAY_TRAFFIC_FILE": str(self.folder / "traffic"),
            "SLIPWAY_SOURCE_COMMIT": self.tree.commit,
            "SLIPWAY_SOURCE_AUTHOR": "rehearsal",
            **{f"SLIPWAY_{s.name.upper()}_URL": _NOWHERE for s in self.application.services},
        }

    def _write(self, name: str, text: str) -> None:
        path = self.folder / name
        path.touch(mode=0o600)
        path.write_text(text)


def _values(tree: Tree) -> dict[str, Any]:
    """Of dev: its limits are the widest. Raises BadInput."""
    merged: dict[str, Any] = {}
    for environment in ("base", "dev"):
        file = f"environments/{environment}/values.yaml"
        text = tree.text(file)
        if text is not None:
            merged = values.merge(merged, yaml_strict.load_mapping(text, file), file)
    return merged


def _answer(done: Done, seconds: float) -> Answer:
    try:
        document = json.loads(done.out.strip().rpartition("\n")[2] or done.out)
    except ValueError:
        document = {}
    document = document if isinstance(document, dict) else {}
    words = "" if done.code == 0 else _words(done, document, seconds)
    if done.code == 0 and not document:
        words = "it printed no JSON"
    return Answer(not words, document, words, done.seconds)


def _words(done: Done, document: Mapping[str, Any], seconds: float) -> str:
    if done.why == "timeout":
        return f"it did not end within {seconds:g} s"
    if done.why:
        return f"it was ended: {done.why} {done.err[:200]}".strip()
    said = document or _error(done.err)
    failing = [c for c in said.get("checks", ()) if isinstance(c, dict) and not c.get("ok")]
    if failing:
        return "; ".join(f"{c.get('name')}: {c.get('message')}" for c in failing)[:500]
    if said.get("message"):
        first = str(said["message"]).splitlines()[0]  # where in the SQL follows
        return f"{said.get('error', '')}: {first}".strip(": ")[:500]
    lines = [line for line in done.err.splitlines() if line.strip()]
    return (lines or [f"exit code {done.code}"])[-1][:500]


def _error(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text.strip().rpartition("\n")[2])
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def explained(release: TreeRelease, action: str, answer: Answer, rule: str, path: str) -> Stopped:
    """A command that failed, as a finding; a full disk is nobody's migration's fault."""
    if "No space left on device" in answer.words or "disk is full" in answer.words:
        return Stopped(
            Finding("migrations/disk", "the disk is full: nothing was rehearsed",
                    hint="free some space and try again"),
            broken=True,
        )  # fmt: skip
    return Stopped(
        Finding(rule, f"{action} of {release.what} failed: {answer.words}", path=path,
                hint="try it yourself: slipway check --stage migrations")
    )  # fmt: skip
