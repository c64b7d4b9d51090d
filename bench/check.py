"""`slipway check` on a one-strategy change, `slipway policy`, the strategy stage, a refused push.

Cold: environments, trees and answers of earlier checks are gone; the package cache is full. Warm: only
the answers are none, since every round commits another edit of the strategy.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from bench.context import Bench
from bench.table import Row, spread
from tests.harness.installation import REPOSITORY, Answer, Installation, git
from tests.support.strategy_change import (
    BRANCH,
    CODE,
    PARAMETERS,
    STRATEGY,
    TEST_CODE,
    TESTS,
    VALUES,
)

COLD_SECONDS, WARM_SECONDS = 180.0, 60.0
POLICY_SECONDS = PUSH_SECONDS = 1.0
STRATEGY_SECONDS = 20.0
BUNDLED = "app/trading/strategies/sma_cross/__init__.py"
SNAPSHOTS = REPOSITORY.parent / "shared" / "data"


def run(bench: Bench) -> list[Row]:
    installation = bench.installation
    _give_advisories(installation)
    with _branch(installation):
        _add_strategy(installation)
        cold = [_checked(installation, cold=True) for _ in range(bench.times(2, 1))]
        warm = [_edited(installation, STRATEGY, n) for n in range(bench.times(5, 1))]
    with _branch(installation):
        strategy = [
            _edited(installation, BUNDLED, n, "--stage", "strategy")
            for n in range(bench.times(5, 1))
        ]
        policy = [installation.run("policy").seconds for _ in range(bench.times(20, 3))]
        pushes = [_refused_push(installation) for _ in range(bench.times(20, 3))]
    return [
        _row("`slipway check` on a one-strategy change, cold", COLD_SECONDS, cold),
        _row("`slipway check` on a one-strategy change, warm", WARM_SECONDS, warm),
        _row("strategy stage of one bundled strategy", STRATEGY_SECONDS, strategy),
        _plain("`slipway policy` on the repository", POLICY_SECONDS, policy),
        _plain("push refused for its name", PUSH_SECONDS, pushes),
    ]


def _row(what: str, limit: float, answers: list[Answer]) -> Row:
    """A stage that could not do its work measures nothing."""
    seconds = [answer.seconds for answer in answers]
    broken = sorted({s["stage"] for a in answers for s in _stages(a) if s["status"] == "broken"})
    words = f"; broken: {', '.join(broken)}" if broken else ""
    good = max(seconds) <= limit and not broken and all(map(_stages, answers))
    details: dict[str, Any] = {
        "seconds": seconds,
        "stages": [{s["stage"]: [s["status"], s["seconds"]] for s in _stages(a)} for a in answers],
    }
    return Row(what, f"≤ {limit:g} s", f"{spread(seconds, digits=1)}{words}", good, details)


def _plain(what: str, limit: float, seconds: list[float]) -> Row:
    return Row(what, f"≤ {limit:g} s", spread(seconds), max(seconds) <= limit, {"seconds": seconds})


def _stages(answer: Answer) -> list[dict[str, Any]]:
    return list(answer.data["stages"]) if isinstance(answer.data, dict) else []


def _give_advisories(installation: Installation) -> None:
    """Without a snapshot the package index would be measured, not the check."""
    folder = installation.state / "advisories"
    folder.mkdir(exist_ok=True)
    for file in SNAPSHOTS.glob("advisory-database-*.tgz"):
        shutil.copy2(file, folder)


@contextmanager
def _branch(installation: Installation) -> Iterator[None]:
    git(installation.checkout, "checkout", "--quiet", "-B", BRANCH, "main")
    try:
        yield
    finally:
        git(installation.checkout, "checkout", "--quiet", "--force", "main")
        git(installation.checkout, "branch", "--quiet", "--delete", "--force", BRANCH)


def _add_strategy(installation: Installation) -> None:
    def add(checkout: Path) -> None:
        for path, text in ((STRATEGY, CODE), (TESTS, TEST_CODE)):
            (checkout / path).parent.mkdir(parents=True)
            (checkout / path).write_text(text)
        values = checkout / VALUES
        text = values.read_text()
        values.write_text(text.replace("    momentum:\n", f"{PARAMETERS}    momentum:\n", 1))

    installation.commit(add, "Add the strategy breakout")


def _edited(installation: Installation, path: str, number: int, *options: str) -> Answer:
    def edit(checkout: Path) -> None:
        with (checkout / path).open("a") as file:
            file.write(f"# edit {number}\n")

    installation.commit(edit, f"Edit {number}")
    return _checked(installation, *options)


def _checked(installation: Installation, *options: str, cold: bool = False) -> Answer:
    kept = installation.state / "check"
    if cold and kept.exists():
        subprocess.run(["chmod", "-R", "u+w", str(kept)], check=True)  # trees are read-only
        shutil.rmtree(kept)
    return installation.run("check", *options, timeout=600)


def _refused_push(installation: Installation) -> float:
    """Seconds from exec of git to its end. Raises when the push was taken."""
    began = time.monotonic()
    done = subprocess.run(
        ["git", "push", "slipway", "HEAD:refs/heads/Feature/Bad_Name"],
        cwd=installation.checkout,
        env={**os.environ, **installation.variables()},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds = time.monotonic() - began
    if done.returncode == 0 or "Bad_Name" not in done.stderr:
        raise RuntimeError(f"a badly named branch was not refused: {done.stderr}")
    return seconds
