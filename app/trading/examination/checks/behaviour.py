"""Does it decide the same twice, without a memory, and without looking ahead?"""

from __future__ import annotations

import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from trading.examination.child import Bounds
from trading.examination.runs import Days, Replayed, Run, Wanted, replays, truncated_run
from trading.examination.verdict import Verdict, not_run

DETERMINISM, HIDDEN_STATE, LOOK_AHEAD = "determinism", "hidden state", "look-ahead"
_COLD_STARTS = 3
_WORKERS = 2
_SEED_OF_REPLAYS = 3  # of hashing, another one than in the whole runs


@dataclass(frozen=True, slots=True)
class Bench:
    """What the replays need: a copy without prices, the strategy, the days."""

    folder: Path
    wanted: Wanted
    bounds: Bounds
    days: Days


@dataclass(frozen=True, slots=True)
class Coverage:
    """How many bars the look-ahead replay took."""

    signal_bars: int
    signal_bars_replayed: int
    other_bars: int
    other_bars_replayed: int

    def __str__(self) -> str:
        return (
            f"replayed {self.signal_bars_replayed} of {self.signal_bars} signal bars, "
            f"{self.other_bars_replayed} of {self.other_bars} others"
        )


def determinism(first: Run, other: Run, days: Days) -> Verdict:
    """Two processes with different hash seeds: equal to the byte?"""
    samples = len(first.answers)
    for index, (a, b) in enumerate(zip(first.answers, other.answers, strict=True)):
        if a != b:
            words = f"two runs differ from {_day(days, index)} on"
            return Verdict(DETERMINISM, False, words, samples, (f"one: {a}", f"other: {b}"))
    words = f"two runs in two processes are equal to the byte, sha256 {first.sha256[:12]}"
    return Verdict(DETERMINISM, True, words, samples)


def replay_checks(
    run: Run, bench: Bench, other_bars: int, seed: int
) -> tuple[list[Verdict], Coverage]:
    """The verdicts on hidden state and look-ahead. `run` was over `bench.days`, twice."""
    remembered = _second_run(run, bench.days)
    picks, coverage = _picks(run, other_bars, seed)
    if not picks:
        why = "there is no bar to replay"
        return [remembered or not_run(HIDDEN_STATE, why), not_run(LOOK_AHEAD, why)], coverage
    answers = _in_parallel(run, bench, picks)
    differing = [r for r in answers if r.problem or r.answer != run.answers[r.day]]
    cold = _cold_starts(run, bench, seed)
    count = coverage.signal_bars_replayed + coverage.other_bars_replayed
    if not differing:
        state = remembered or _cold_verdict(cold, run, bench)
        return [state, Verdict(LOOK_AHEAD, True, str(coverage), count)], coverage
    return _differing(differing, run, bench, remembered, coverage), coverage


def _second_run(run: Run, days: Days) -> Verdict | None:
    for index, (a, b) in enumerate(zip(run.answers, run.second, strict=True)):
        if a != b:
            words = (
                f"a second run in the same process decides differently from {_day(days, index)} "
                "on: it remembers the first run, bars of the future included"
            )
            details = (f"first run: {a}", f"second run: {b}")
            return Verdict(HIDDEN_STATE, False, words, len(run.answers), details)
    return None


def _picks(run: Run, other_bars: int, seed: int) -> tuple[list[int], Coverage]:
    """Every bar that changes a signal, and a seeded sample of those that do not.

    Days on which the lookback cannot be full yet count like all others.
    """
    signals = run.signal_days
    others = sorted(set(range(len(run.answers))) - set(signals))
    sample = random.Random(seed).sample(others, min(other_bars, len(others)))
    coverage = Coverage(len(signals), len(signals), len(others), len(sample))
    return sorted([*signals, *sample]), coverage


def _in_parallel(run: Run, bench: Bench, picks: Sequence[int]) -> list[Replayed]:
    half = (len(picks) + 1) // 2
    parts = [part for part in (picks[:half], picks[half:]) if part]

    def part_of(part: Sequence[int]) -> list[Replayed]:
        return replays(
            bench.folder, bench.wanted, bench.bounds, bench.days, part, run.lookback,
            hash_seed=_SEED_OF_REPLAYS,
        )  # fmt: skip

    with ThreadPoolExecutor(_WORKERS) as pool:
        return [replayed for found in pool.map(part_of, parts) for replayed in found]


def _cold_starts(run: Run, bench: Bench, seed: int) -> list[Replayed]:
    """A few signal days, each in a process that knows nothing else."""
    count = min(_COLD_STARTS, len(run.signal_days))
    days = random.Random(seed + 1).sample(run.signal_days, count)

    def one(day: int) -> list[Replayed]:
        return replays(
            bench.folder, bench.wanted, bench.bounds, bench.days, [day], run.lookback,
            hash_seed=day % 1000,
        )  # fmt: skip

    with ThreadPoolExecutor(_WORKERS) as pool:
        return [replayed for found in pool.map(one, sorted(days)) for replayed in found]


def _cold_verdict(cold: Sequence[Replayed], run: Run, bench: Bench) -> Verdict:
    for replayed in cold:
        if replayed.problem or replayed.answer != run.answers[replayed.day]:
            day = _day(bench.days, replayed.day)
            words = f"a process that just started decides differently on {day}"
            return Verdict(HIDDEN_STATE, False, words, len(cold), _both(replayed, run))
    samples = len(run.second) + len(cold)
    words = f"a second run in the same process and {len(cold)} cold starts decide the same"
    return Verdict(HIDDEN_STATE, True, words, samples)


def _differing(
    differing: Sequence[Replayed],
    run: Run,
    bench: Bench,
    remembered: Verdict | None,
    coverage: Coverage,
) -> list[Verdict]:
    """A memory beyond the lookback, or bars that had not happened? One more run tells."""
    first = differing[0]
    day = _day(bench.days, first.day)
    count = coverage.signal_bars_replayed + coverage.other_bars_replayed
    cut = truncated_run(
        bench.folder, bench.wanted, bench.bounds, bench.days[: first.day + 1], hash_seed=1
    )
    if cut == run.answers[first.day]:
        words = (
            f"on {day} it decides differently without the days before its lookback: it keeps a "
            f"memory ({len(differing)} of {count} replayed bars)"
        )
        state = remembered or Verdict(HIDDEN_STATE, False, words, count, _both(first, run))
        return [state, not_run(LOOK_AHEAD, "a memory hides it; correct that first")]
    words = (
        f"on {day} it decides differently when later bars do not exist "
        f"({len(differing)} of {count} replayed bars); {coverage}"
    )
    state = remembered or not_run(HIDDEN_STATE, "it looks ahead; correct that first")
    return [state, Verdict(LOOK_AHEAD, False, words, count, _both(first, run))]


def _both(replayed: Replayed, run: Run) -> tuple[str, str]:
    alone = replayed.problem or replayed.answer
    return f"whole run: {run.answers[replayed.day]}", f"up to that day alone: {alone}"


def _day(days: Days, index: int) -> str:
    return str(days[index][0].timestamp.date())
