"""Stages run side by side; one that fails in any way is red and the others go on."""

from __future__ import annotations

import _thread
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipelines.adapters.check_cache import CheckCache
from pipelines.adapters.programs import LocalPrograms
from pipelines.flows.check import Event, Plan, broken, key_of, run_check
from pipelines.model.check import (
    BROKEN,
    FAILED,
    PASSED,
    UNTOUCHED,
    Attachment,
    Change,
    Finding,
    StageResult,
    Tree,
)
from pipelines.model.errors import BadInput, Unavailable
from pipelines.stages.protocol import Options, Stage, Workshop

TREE = Tree("c" * 40, Path("/nowhere"), {"app": "a" * 40})
CHANGE = Change("feature/x", "develop", TREE, TREE, TREE, ())
GOOD = StageResult("one", PASSED, "fine", samples=3, document={"seen": 3})

Act = Callable[[Workshop], StageResult]


class Scripted:
    """A stage that does what the test says."""

    def __init__(self, name: str, act: Act, *, touched: bool = True, inputs: str = "1") -> None:
        self.name = name
        self._act = act
        self._touched = touched
        self._inputs = inputs
        self.runs = 0

    def touched(self, change: Change) -> bool:
        return self._touched

    def inputs(self, change: Change, options: Options) -> Mapping[str, str]:
        return {"x": self._inputs}

    def run(self, change: Change, workshop: Workshop) -> StageResult:
        self.runs += 1
        return self._act(workshop)


class Nothing:
    def tools(self) -> Path:
        raise Unavailable("no tools here")

    def python(self, lock: Path) -> Path:
        raise Unavailable("no python here")


class Workshops:
    """As the real ones, below one folder, without environments."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.programs: dict[str, LocalPrograms] = {}
        self.stopped: list[str | None] = []

    @contextmanager
    def open(self, stage: str, say: Callable[[str], None]) -> Iterator[Workshop]:
        place = self.folder / stage
        place.mkdir(exist_ok=True)
        self.programs[stage] = LocalPrograms(place)
        yield Workshop(
            self.programs[stage], Nothing(), place, place, lambda: datetime.now(UTC), say=say
        )

    def publish(self, stage: str, attachments: Sequence[Attachment]) -> tuple[Attachment, ...]:
        return tuple(Attachment(a.name, self.folder / "public" / a.name) for a in attachments)

    def stop(self, stage: str | None = None) -> None:
        self.stopped.append(stage)
        for name, programs in self.programs.items():
            if stage in (None, name):
                programs.stop()


class Bench:
    def __init__(self, folder: Path) -> None:
        self.workshops = Workshops(folder)
        self.cache = CheckCache(folder / "cache")
        self.events: list[Event] = []

    def run(self, *stages: Stage, change: Change = CHANGE, **plan: Any) -> dict[str, StageResult]:
        made = {stage.name: (lambda stage=stage: stage) for stage in stages}
        report = run_check(
            change,
            Plan(stages=made, engine="e1", **plan),
            self.workshops,
            self.cache,
            self.events.append,
        )
        return {result.stage: result for result in report.stages}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def _raises(error: Exception) -> Act:
    def act(workshop: Workshop) -> StageResult:
        raise error

    return act


def test_a_stage_that_raises_is_broken_and_the_others_go_on(bench: Bench) -> None:
    found = bench.run(
        Scripted("bad", _raises(RuntimeError("it fell over"))),
        Scripted("worse", _raises(BadInput("file x is wrong", hint="mend it"))),
        Scripted("one", lambda _: GOOD),
    )
    assert found["bad"].status == BROKEN
    assert found["bad"].summary == "RuntimeError: it fell over"
    assert found["worse"].findings == (
        Finding("worse/broken", "file x is wrong", hint="mend it"),
    )  # fmt: skip
    assert found["one"].status == PASSED


def test_a_stage_that_cannot_be_loaded_is_broken(bench: Bench) -> None:
    def missing() -> Stage:
        raise ModuleNotFoundError("No module named 'pipelines.stages.gone'")

    report = run_check(
        CHANGE, Plan(stages={"gone": missing}, engine="e"), bench.workshops, bench.cache
    )
    assert not report.passed
    assert "No module named" in report.stages[0].summary


def test_a_stage_that_hangs_is_broken_at_its_limit_and_its_programs_end(bench: Bench) -> None:
    def hang(workshop: Workshop) -> StageResult:
        done = workshop.programs.run(["sleep", "60"], folder=workshop.folder, seconds=60)
        return broken("slow", f"sleep was {done.why}")

    began = time.monotonic()
    found = bench.run(Scripted("slow", hang), Scripted("one", lambda _: GOOD), stage_seconds=0.5)
    assert time.monotonic() - began < 8
    assert found["slow"].status == BROKEN
    assert "slow" in bench.workshops.stopped
    assert found["one"].status == PASSED


def test_a_stage_that_never_comes_back_does_not_hold_the_others(bench: Bench) -> None:
    never = threading.Event()

    def hang(workshop: Workshop) -> StageResult:
        never.wait(30)
        return GOOD

    found = bench.run(Scripted("slow", hang), Scripted("one", lambda _: GOOD), stage_seconds=0.3)
    never.set()
    assert found["slow"].status == BROKEN
    assert found["slow"].summary == "did not end within 0.3 s"


def test_stages_run_side_by_side(bench: Bench) -> None:
    both = threading.Barrier(2, timeout=10)

    def meet(name: str) -> Act:
        def act(workshop: Workshop) -> StageResult:
            both.wait()
            return StageResult(name, PASSED, "met", samples=1)

        return act

    found = bench.run(Scripted("a", meet("a")), Scripted("b", meet("b")))
    assert {result.status for result in found.values()} == {PASSED}


def test_what_a_change_does_not_touch_is_not_run(bench: Bench) -> None:
    stage = Scripted("one", lambda _: GOOD, touched=False)
    assert bench.run(stage)["one"].status == UNTOUCHED
    assert stage.runs == 0


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (StageResult("one", PASSED, "fine", samples=0), "without having looked at anything"),
        (StageResult("other", PASSED, "fine", samples=1), "answered as 'other'"),
        (StageResult("one", "splendid", "fine", samples=1), "'splendid'"),
        (StageResult("one", PASSED, "fine", samples=1, document={"x": float("nan")}), "ValueError"),
        (StageResult("one", PASSED, "fine", samples=1, document={"x": object()}), "TypeError"),
        (
            StageResult("one", PASSED, "", samples=1, attachments=(Attachment("../x", Path("/")),)),
            "no plain file name",
        ),
    ],
)
def test_an_answer_that_cannot_be_believed_is_broken(
    bench: Bench, result: StageResult, words: str
) -> None:
    found = bench.run(Scripted("one", lambda _: result))["one"]
    assert found.status == BROKEN
    assert words in found.summary


def test_a_stage_that_says_passed_with_an_error_has_failed(bench: Bench) -> None:
    result = StageResult("one", PASSED, "fine", (Finding("x/y", "bad"),), samples=1)
    assert bench.run(Scripted("one", lambda _: result))["one"].status == FAILED


def test_an_answer_is_kept_until_an_input_changes(bench: Bench) -> None:
    stage = Scripted("one", lambda _: GOOD)
    first, second = bench.run(stage)["one"], bench.run(stage)["one"]
    assert (stage.runs, first.cached, second.cached) == (1, False, True)
    assert (second.document, second.samples) == (first.document, 3)
    other = Scripted("one", lambda _: GOOD, inputs="2")
    assert not bench.run(other)["one"].cached


def test_a_red_answer_is_kept_but_never_a_broken_one(bench: Bench) -> None:
    red = StageResult("red", FAILED, "no", (Finding("a/b", "no"),), samples=1)
    failing, breaking = (
        Scripted("red", lambda _: red),
        Scripted("one", lambda _: broken("one", "x")),
    )
    for _ in range(2):
        found = bench.run(failing, breaking)
    assert (failing.runs, breaking.runs) == (1, 2)
    assert found["red"].findings == red.findings


def test_fresh_asks_again(bench: Bench) -> None:
    stage = Scripted("one", lambda _: GOOD)
    bench.run(stage)
    assert not bench.run(stage, fresh=True)["one"].cached
    assert stage.runs == 2


def test_attachments_come_back_from_the_cache(bench: Bench) -> None:
    def act(workshop: Workshop) -> StageResult:
        file = workshop.reports / "chart.html"
        file.write_text("<p>chart")
        return StageResult(
            "one", PASSED, "", samples=1, attachments=(Attachment("chart.html", file),)
        )

    stage = Scripted("one", act)
    bench.run(stage)
    (bench.workshops.folder / "one" / "chart.html").unlink()
    found = bench.run(stage)["one"]
    assert found.cached
    assert found.attachments[0].path == bench.workshops.folder / "public" / "chart.html"


def test_a_damaged_answer_counts_as_none(bench: Bench, tmp_path: Path) -> None:
    stage = Scripted("one", lambda _: GOOD)
    bench.run(stage)
    for file in (tmp_path / "cache").rglob(".result.json"):
        file.write_text('{"stage": "one", "status": "passed"')
    assert not bench.run(stage)["one"].cached


def test_every_part_of_a_key_matters() -> None:
    base = key_of("one", "e", {"a": "1"}, everything=False)
    others = {
        key_of("two", "e", {"a": "1"}, everything=False),
        key_of("one", "f", {"a": "1"}, everything=False),
        key_of("one", "e", {"a": "2"}, everything=False),
        key_of("one", "e", {"a": "1"}, everything=True),
    }
    assert len(others) == 4
    assert base not in others


def test_ctrl_c_ends_everything_that_runs(bench: Bench) -> None:
    started = threading.Event()

    def long(workshop: Workshop) -> StageResult:
        started.set()
        done = workshop.programs.run(["sleep", "60"], folder=workshop.folder, seconds=60)
        assert done.why == "stopped"
        return GOOD

    plan = Plan(stages={"slow": lambda: Scripted("slow", long)}, engine="e")
    began = time.monotonic()
    threading.Timer(0.7, _thread.interrupt_main).start()
    with pytest.raises(KeyboardInterrupt):
        run_check(CHANGE, plan, bench.workshops, bench.cache)
    assert started.is_set()
    assert time.monotonic() - began < 10
    assert None in bench.workshops.stopped


def test_the_report_names_the_source_and_is_red_without_stages(bench: Bench) -> None:
    report = run_check(CHANGE, Plan(stages={}, engine="e"), bench.workshops, bench.cache)
    assert not report.passed
    assert len(report.source) == 64


def test_progress_says_running_and_then_the_end(bench: Bench) -> None:
    def act(workshop: Workshop) -> StageResult:
        workshop.say("half of it")
        return GOOD

    bench.run(Scripted("one", act))
    assert [(e.status, e.detail) for e in bench.events] == [
        ("running", ""),
        ("running", "half of it"),
        (PASSED, "fine"),
    ]
