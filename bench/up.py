"""`make up` in an empty clone with an empty and a full package cache, and `slipway up` again."""

from __future__ import annotations

import shutil
from pathlib import Path

from bench.context import Bench
from bench.table import Row, spread
from tests.harness.installation import Installation, clone


class _WithCache(Installation):
    """An installation whose package caches all lie in one folder."""

    cache: Path

    def variables(self) -> dict[str, str]:
        folder = str(self.cache)
        return super().variables() | {
            "XDG_CACHE_HOME": folder,
            "UV_CACHE_DIR": f"{folder}/uv",
            "PIP_CACHE_DIR": f"{folder}/pip",
        }


def _make_up(root: Path, cache: Path) -> tuple[_WithCache, float]:
    shutil.rmtree(root, ignore_errors=True)
    root.mkdir(mode=0o755)
    made = _WithCache(clone(root / "checkout"), root / "state")
    made.cache = cache
    code, output, seconds = made.make_up()
    if code:
        made.remove()
        raise RuntimeError(f"make up → {code}\n{output}")
    return made, seconds


def run(bench: Bench) -> list[Row]:
    root, cache = bench.root / "up", bench.root / "cache"
    cold: list[float] = []
    warm: list[float] = []
    again: list[float] = []
    for number in range(1 + bench.times(3, 1)):
        made, seconds = _make_up(root, cache)
        (warm if number else cold).append(seconds)
        again.append(Bench.demand(made.up()).seconds)
        made.remove()
    shutil.rmtree(root, ignore_errors=True)
    shutil.rmtree(cache, ignore_errors=True)
    return [
        _row("`make up`, package cache empty", 180, cold),
        _row("`make up`, package cache full", 60, warm),
        _row("a second `slipway up`", 10, again),
    ]


def _row(what: str, limit: float, seconds: list[float]) -> Row:
    return Row(
        what, f"≤ {limit:.0f} s", spread(seconds, digits=1), max(seconds) <= limit,
        {"seconds": seconds},
    )  # fmt: skip
