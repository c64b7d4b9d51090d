"""`slipway up`: installs, then hands the rest to the engine it installed."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from pipelines.cli.options import actor, examples, output_option, state_option
from pipelines.cli.up_display import Display
from pipelines.flows.context import Progress
from pipelines.model.errors import BadInput, NeedsPerson

T = TypeVar("T")


@click.command(
    epilog=examples(
        "slipway up",
        "slipway up --state /var/tmp/second --base-port 19080",
    )
)
@click.option(
    "--base-port", type=int, metavar="N",
    help="First of 30 ports (default 18080): dev N, staging N+10, production N+20.",
)  # fmt: skip
@click.option(
    "--installed", is_flag=True, hidden=True, help="Second half, by the installed engine."
)
@click.option("--began", type=float, hidden=True)
@state_option
@output_option
def command(
    base_port: int | None, installed: bool, began: float | None, state: Path, output: str
) -> None:
    """Install, upgrade or bring back everything: three environments, released and trading.

    Safe to run again at any time. It releases what is committed: HEAD.
    """
    began = began or time.time()
    if not installed:
        prepare(state, base_port, output)
        become_engine(state, began, output)
    from pipelines.cli.up_finish import finish

    finish(state, began, output)


def prepare(state: Path, base_port: int | None, output: str) -> None:
    """Machine, state folder, origin, engine: everything before the engine can take over."""
    from pipelines import wiring

    display = Display(quiet=output == "json")

    def step(name: str, words: str, act: Callable[[], T], tell: Callable[[T], str]) -> T:
        display(Progress("", name, "running", words))
        started = time.monotonic()
        try:
            result = act()
        except BaseException:
            display(Progress("", name, "failed", words, time.monotonic() - started))
            raise
        display(Progress("", name, "done", tell(result), time.monotonic() - started))
        return result

    with display:
        step("machine", "looking", lambda: examine(state, base_port), lambda words: words)
        step("checkout", "looking", wiring.checkout_facts, lambda words: words)
        installation = step(
            "state", str(state), lambda: wiring.install(state, base_port),
            lambda made: f"{made.state}, ports from {made.base_port}",
        )  # fmt: skip
        step(
            "origin", "main and develop at HEAD",
            lambda: wiring.install_origin(installation, actor()), describe_origin,
        )  # fmt: skip
        step(
            "keys", "of this person, the check runner and the environments",
            lambda: wiring.enrol_keys(installation, actor()),
            lambda made: f"{', '.join(made)} made" if made else "all there",
        )  # fmt: skip
        step(
            "engine", "installing what main says, with every package by hash",
            lambda: wiring.install_engine(installation),
            lambda engine: f"{engine.id} {'installed' if engine.new else 'is current'}",
        )  # fmt: skip


def examine(state: Path, base_port: int | None) -> str:
    """The checks of `slipway doctor` that make an installation impossible stop it here."""
    from pipelines import wiring
    from pipelines.flows.doctor import examine as judge

    findings = judge(wiring.machine_facts(state, base_port))
    for finding in findings:
        if finding.level == "fail":
            kind = BadInput if finding.name in ("ports", "python", "git") else NeedsPerson
            raise kind(f"{finding.name}: {finding.message}", hint=finding.hint)
    warnings = [f"{one.name}: {one.message}" for one in findings if one.level == "warn"]
    return "; ".join(warnings) or "nothing missing"


def describe_origin(change: Any) -> str:
    if change.refused:
        return str(change.refused)
    if change.created:
        return f"made, main and develop at {change.head[:12]}"
    if change.left:
        return str(change.left)
    return "moved to " + change.head[:12] if change.moved else f"is at {change.head[:12]}"


def become_engine(state: Path, began: float, output: str) -> None:
    """The rest runs from the installed engine, as everything later does."""
    program = os.path.join(state.resolve(), "engine", "current", "bin", "slipway")
    arguments = [program, "up", "--installed", "--began", str(began), "--output", output]
    os.execve(program, arguments, {**os.environ, "SLIPWAY_STATE": str(state.resolve())})  # noqa: S606
