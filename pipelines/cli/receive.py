"""What the origin's hooks run; no command of people's. Started once for each pushed ref, so it
imports little.

    python -I -m pipelines.cli.receive update STATE REF OLD NEW
    python -I -m pipelines.cli.receive post-receive STATE         (lines `OLD NEW REF` on stdin)

Exit code 0: take it. 1: refused, with the reason on stderr. Anything else: not judged.
"""

from __future__ import annotations

import signal
import sys
from collections.abc import Sequence
from pathlib import Path

from pipelines.flows.receive import HEADS, Push, judge, target_of
from pipelines.model.errors import SlipwayError

TIME_LIMIT_SECONDS = 20
NOT_JUDGED = 3


def main(arguments: Sequence[str]) -> int:
    # Neither a stuck disk nor a stuck git may hold a push for ever; a process killed by the alarm
    # has judged nothing, so the hook refuses.
    signal.alarm(TIME_LIMIT_SECONDS)
    word, state, *rest = arguments
    try:
        if word == "update":
            update(Path(state), Push(*rest))
        else:
            post_receive(Path(state), sys.stdin.read())
    except SlipwayError as error:
        say(error.message)
        if error.hint:
            say(f"  {error.hint}")
        return 1
    except Exception as error:
        say(f"a defect: {type(error).__name__}: {error}")
        return NOT_JUDGED
    return 0


def update(state: Path, push: Push) -> None:
    """Raises SlipwayError when it must not come in."""
    from pipelines import wiring

    judge(push, wiring.open_arrivals(state), lambda name: wiring.synced_in_its_cluster(state, name))


def post_receive(state: Path, lines: str) -> None:
    """A check job for each branch that came; the dev controller is told. A job that cannot be
    written is no loss: the controller looks for branches without one."""
    from pipelines import wiring
    from pipelines.cli.options import actor

    pushes = [Push(ref, old, new) for old, new, ref in (x.split() for x in lines.splitlines())]
    wanted = [
        p for p in pushes if p.ref.startswith(HEADS) and not p.deletes and target_of(p.branch)
    ]
    if not wanted:
        return
    jobs = wiring.open_jobs(state)
    for push in wanted:
        jobs.ask("check", push.branch, push.new, actor=actor(), reason="pushed")
        say(f"{push.branch} {push.new[:12]} will be checked; watch it:")
        say(f"  slipway check --follow {push.branch}")
    if not wiring.wake_worker(state):
        say("no controller of dev runs, so the check waits; start it: slipway up")


def say(words: str) -> None:
    sys.stderr.write(f"slipway: {words}\n")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
