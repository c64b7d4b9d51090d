"""Rollback: exec of the command to the first new connection answered by the old release."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

from bench.context import Bench
from bench.load import Load
from bench.table import Row, percentile, spread
from tests.harness.agreement import get_json
from tests.harness.releases import forget
from tests.harness.trouble import asleep, origin_away
from tests.planted.edits import migration

LIMIT_SECONDS = 1.0


def once(bench: Bench) -> float:
    """Seconds of one rollback from the release that is active now."""
    port = bench.installation.port("dev")
    old = bench.installation.agreement("dev").row()["previous_release"]
    begun = time.monotonic()
    process = bench.installation.start("rollback", "dev", "--reason", "bench")
    try:
        while time.monotonic() - begun < 30:
            try:
                if get_json(port, "/version", timeout=1.0)["release"] == old:
                    taken = time.monotonic() - begun
                    break
            except (OSError, ValueError):
                pass
            time.sleep(0.005)
        else:
            raise RuntimeError(f"{old} did not answer within 30 s of a rollback")
    finally:
        out, err = process.communicate(timeout=60)
    if process.returncode:
        raise RuntimeError(f"rollback → {process.returncode}\n{out}\n{err}")
    return taken


@contextmanager
def nothing(bench: Bench) -> Iterator[None]:
    yield


def away(bench: Bench) -> AbstractContextManager[None]:
    return origin_away(bench.installation)


def new_slot_stopped(bench: Bench) -> AbstractContextManager[None]:
    slot = bench.installation.agreement("dev").row()["slot"]
    return asleep([p for p in bench.installation.processes("dev") if p.slot == slot])


def series(
    bench: Bench, count: int, condition: Callable[[Bench], AbstractContextManager[None]]
) -> list[float]:
    """So many rollbacks, each from a fresh promotion."""
    taken = []
    for _ in range(count):
        bench.switch()
        with condition(bench):
            taken.append(once(bench))
        bench.installation.agreement("dev").wait(30)
        bench.lift_holds()
    return taken


def database_ahead(bench: Bench, count: int) -> list[float]:
    """Each promotion brings a migration that the old release does not know."""
    taken = []
    for number in range(count):
        edit = migration(
            f"alter table trading.instruments add column bench_{number} int",
            f"alter table trading.instruments drop column bench_{number}",
        )
        release = bench.installation.release(edit, f"Add column bench_{number}")
        bench.demand(bench.installation.promote("dev", release))
        taken.append(once(bench))
        bench.installation.agreement("dev").wait(30)
        bench.lift_holds()
        bench.demand(bench.installation.promote("dev", release))
        forget(bench.installation)
    return taken


def run(bench: Bench) -> list[Row]:
    bench.prepare()
    rest = series(bench, bench.times(100, 3), nothing)
    load = Load.start(
        bench.installation, "dev", seconds=24 * 3600, rate=200.0, options=("--no-websocket",)
    )
    try:
        time.sleep(3)
        busy = series(bench, bench.times(100, 3), nothing)
    finally:
        load.kill()
    return [
        _row("at rest", rest),
        _row("at 200 requests a second", busy),
        _row("with the origin moved away", series(bench, bench.times(20, 2), away)),
        _row("with the new slot stopped", series(bench, bench.times(20, 2), new_slot_stopped)),
        _row("with the database migrated ahead", database_ahead(bench, bench.times(10, 1))),
    ]


def _row(condition: str, taken: list[float]) -> Row:
    return Row(
        f"rollback, exec to first answer of the old release, {condition}",
        "p95 ≤ 1 s",
        spread(taken, digits=3),
        percentile(taken, 0.95) <= LIMIT_SECONDS,
        {"seconds": taken},
    )
