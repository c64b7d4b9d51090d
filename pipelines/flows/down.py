"""`slipway down`: stop everything of an installation. Data, branches and releases stay."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from pipelines.flows.context import Context
from pipelines.model.errors import NeedsPerson, SlipwayError


def down(contexts: Sequence[Context]) -> None:
    """Stop all environments side by side. NeedsPerson names the ones that would not stop."""
    with ThreadPoolExecutor(len(contexts)) as pool:
        failed = [words for words in pool.map(_stop, contexts) if words]
    if failed:
        raise NeedsPerson(
            "; ".join(failed), hint="slipway doctor names the processes that are left"
        )


def _stop(ctx: Context) -> str:
    ctx.say("stop", "running")
    started = ctx.monotonic()
    try:
        stopped = ctx.target.stop_all()
    except SlipwayError as error:
        ctx.say("stop", "failed", error.message, ctx.monotonic() - started)
        return f"{ctx.environment}: {error.message}"
    ctx.say("stop", "done", stopped, ctx.monotonic() - started)
    return ""
