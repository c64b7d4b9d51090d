"""One check: its stages side by side, each answered from the cache where nothing changed."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol

from pipelines.model.check import (
    BROKEN,
    FAILED,
    PASSED,
    UNTOUCHED,
    Attachment,
    Change,
    Finding,
    Report,
    StageResult,
)
from pipelines.model.errors import SlipwayError
from pipelines.model.source import source_digest
from pipelines.stages.protocol import Options, Stage, Workshop
from pipelines.stages.report_json import canonical, stage_document, stage_from

STAGE_SECONDS = 1800.0
_ENDING_SECONDS = 2.0
_STATUSES = (PASSED, FAILED, BROKEN, UNTOUCHED)


class Workshops(Protocol):
    """Gives each stage what it may use. `stop` ends the programs of one stage, or of all."""

    def open(self, stage: str, say: Callable[[str], None]) -> AbstractContextManager[Workshop]: ...

    def publish(self, stage: str, attachments: Sequence[Attachment]) -> tuple[Attachment, ...]:
        """Copies of attachments where people find them."""

    def stop(self, stage: str | None = None) -> None: ...


class Cache(Protocol):
    """Results by key. `keep` copies attachments too."""

    def find(self, key: str) -> StageResult | None: ...

    def keep(self, key: str, result: StageResult) -> StageResult: ...


@dataclass(frozen=True, slots=True)
class Event:
    """`status`: running, or the stage's own at its end."""

    stage: str
    status: str
    detail: str = ""
    seconds: float = 0.0
    cached: bool = False


Say = Callable[[Event], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What runs. `stages` maps a name to what makes it (its import may fail: red). `engine` is a
    digest of the code and tools that judge. `fresh`: look for no earlier answer."""

    stages: Mapping[str, Callable[[], Stage]]
    engine: str
    options: Options = field(default_factory=Options)
    notes: tuple[str, ...] = ()
    fresh: bool = False
    stage_seconds: float = STAGE_SECONDS


def run_check(
    change: Change, plan: Plan, workshops: Workshops, cache: Cache, say: Say = lambda _: None
) -> Report:
    """A report with a result for every stage of the plan. A stage that raises, or that has not
    ended within its limit, is `broken`; the others go on. Ctrl-C ends what runs and is raised."""
    began = time.monotonic()
    runs = [_Run(change, name, plan, workshops, cache, say) for name in plan.stages]
    try:
        for run in runs:
            run.start()
        for run in runs:
            run.wait(began + plan.stage_seconds)
    except BaseException:
        for run in runs:
            run.abandon()
        workshops.stop()
        for run in runs:
            run.leave()
        raise
    return Report(
        branch=change.branch,
        target=change.target,
        commit=change.head.commit,
        base_commit=change.base.commit,
        source=source_digest(change.head.objects),
        stages=tuple(run.result for run in runs),
        notes=plan.notes,
        seconds=time.monotonic() - began,
        base_source=source_digest(change.base.objects),
    )


class _Run:
    """One stage in a thread of its own, which is left behind when it hangs."""

    def __init__(
        self,
        change: Change,
        name: str,
        plan: Plan,
        workshops: Workshops,
        cache: Cache,
        say: Say,
    ) -> None:
        self._change = change
        self._name = name
        self._plan = plan
        self._workshops = workshops
        self._cache = cache
        self._say = say
        self._guard = threading.Lock()
        self._answer: StageResult | None = None
        # Not the thread's own word: a join that Ctrl-C interrupts can take it for ended.
        self._ended = threading.Event()
        self._halted = threading.Event()
        self._silent = False
        self._thread = threading.Thread(target=self._work, name=f"stage {name}", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def wait(self, until: float) -> None:
        """Looks often, so that Ctrl-C is heard."""
        while not self._ended.wait(0.2) and time.monotonic() < until:
            pass
        if not self._ended.is_set():
            self._halted.set()
            self._workshops.stop(self._name)
            self.leave()
        self._settle(broken(self._name, f"did not end within {self._plan.stage_seconds:g} s"))

    def abandon(self) -> None:
        """Nobody waits for the answer any more: it is neither told nor kept."""
        self._halted.set()
        self._silent = True

    def leave(self) -> None:
        """Let it clear its scratch folder away, now that its programs were ended."""
        if self._thread.ident is not None:
            self._ended.wait(_ENDING_SECONDS)

    @property
    def result(self) -> StageResult:
        assert self._answer is not None
        return self._answer

    def _settle(self, result: StageResult) -> None:
        """The first answer counts."""
        with self._guard:
            if self._answer is not None:
                return
            self._answer = result
        if not self._silent:
            self._say(
                Event(self._name, result.status, result.summary, result.seconds, result.cached)
            )

    def _work(self) -> None:
        try:
            self._settle(self._answered())
        finally:
            self._ended.set()

    def _answered(self) -> StageResult:
        began = time.monotonic()
        try:
            result = self._judge()
        except SlipwayError as error:
            result = broken(self._name, error.message, error.hint)
        except Exception as error:
            result = broken(self._name, f"{type(error).__name__}: {error}")
        return result if result.cached else replace(result, seconds=time.monotonic() - began)

    def _judge(self) -> StageResult:
        self._say(Event(self._name, "running"))
        stage = self._plan.stages[self._name]()
        if not stage.touched(self._change):
            return StageResult(self._name, UNTOUCHED, "the change has nothing for this stage")
        inputs = dict(stage.inputs(self._change, self._plan.options))
        key = key_of(self._name, self._plan.engine, inputs, everything=self._change.everything)
        found = None if self._plan.fresh else self._cache.find(key)
        result = replace(found, cached=True) if found else self._run(stage, inputs, key)
        return replace(result, attachments=self._workshops.publish(self._name, result.attachments))

    def _run(self, stage: Stage, inputs: Mapping[str, str], key: str) -> StageResult:
        def say(words: str) -> None:
            self._say(Event(self._name, "running", words))

        began = time.monotonic()
        with self._workshops.open(self._name, say) as workshop:
            result = checked(self._name, stage.run(self._change, workshop))
            if self._halted.is_set():  # its programs were ended: it judged what it never saw
                return broken(self._name, "was stopped")
            result = replace(
                result,
                inputs={**inputs, **result.inputs, "engine": self._plan.engine},
                seconds=time.monotonic() - began,
            )
            return self._cache.keep(key, result)


def key_of(stage: str, engine: str, inputs: Mapping[str, str], *, everything: bool) -> str:
    """Name of an answer: equal keys have equal answers."""
    parts = {"stage": stage, "engine": engine, "inputs": dict(inputs), "all": everything}
    return hashlib.sha256(canonical(parts).encode()).hexdigest()


def checked(name: str, result: StageResult) -> StageResult:
    """A result as it would come back from the cache; ValueError, TypeError when it cannot. A stage
    that says passed has no error and has looked at something."""
    result = stage_from(stage_document(result))
    canonical(stage_document(result))
    if result.stage != name or result.status not in _STATUSES:
        raise ValueError(f"answered as {result.stage!r}, {result.status!r}")
    for attachment in result.attachments:
        if attachment.name != Path(attachment.name).name or attachment.name.startswith("."):
            raise ValueError(f"attachment {attachment.name!r} is no plain file name")
    if result.status == PASSED and any(f.severity == "error" for f in result.findings):
        return replace(result, status=FAILED)
    if result.status == PASSED and result.samples < 1:
        return broken(name, f"passed without having looked at anything: {result.summary}")
    return result


def broken(stage: str, message: str, hint: str = "") -> StageResult:
    """The red result of a stage that could not do its work."""
    finding = Finding(f"{stage}/broken", message, hint=hint)
    return StageResult(stage, BROKEN, message.partition("\n")[0][:200], (finding,))
