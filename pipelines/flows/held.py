"""Which releases are held, also while git is away: what it said last, and what it was not told yet."""

from __future__ import annotations

from pipelines.flows.commits import HELD
from pipelines.flows.context import Context

UNTOLD = "held_untold"


def held_here(ctx: Context) -> set[str]:
    journal = ctx.records.journal
    return {*(journal.fact(HELD) or []), *(journal.fact(UNTOLD) or [])}


def hold_here(ctx: Context, release: str) -> None:
    """From now on it is no way back, whether git can be told or not."""
    _keep(ctx, _untold(ctx) | {release})


def git_knows(ctx: Context, release: str) -> None:
    """The branch says it: whoever lifts the hold there lifts it here."""
    if release in _untold(ctx):
        _keep(ctx, _untold(ctx) - {release})


def _untold(ctx: Context) -> set[str]:
    return set(ctx.records.journal.fact(UNTOLD) or [])


def _keep(ctx: Context, releases: set[str]) -> None:
    ctx.records.journal.set_fact(UNTOLD, sorted(releases))
