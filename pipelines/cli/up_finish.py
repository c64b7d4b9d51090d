"""Second half of `slipway up`, run by the installed engine, and the table at the end."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import click

from pipelines import wiring
from pipelines.cli.options import actor
from pipelines.cli.output import print_json
from pipelines.cli.status import print_status
from pipelines.cli.up_display import Display
from pipelines.flows.status import environment_status
from pipelines.flows.up import bring_up, first_release
from pipelines.model.release import ENVIRONMENTS
from pipelines.targets.local.layout import Installation


def finish(state: Path, began: float, output: str) -> None:
    """Build what was never built, bring every environment up, say what there is now."""
    installation = Installation.load(state)
    display = Display(quiet=output == "json")
    wiring.take_over_settings(state)
    with display:
        contexts = [
            wiring.open_context(state, name, actor=actor(), progress=display)
            for name in ENVIRONMENTS
        ]
        release = first_release(contexts[0], installation.checkout)
        bring_up(contexts, release, lambda name: wiring.start_controller(state, name))
    rows = [environment_status(context) for context in contexts]
    console = contexts[-1].target.live_url()
    if output == "json":
        print_json({
            "environments": rows, "console": console, "token_file": str(installation.token_file),
            "seconds": round(time.time() - began, 3), "state": str(installation.state),
        })  # fmt: skip
        return
    print_end(rows, console, installation.token_file, time.time() - began)


def print_end(rows: list[dict[str, Any]], console: str, token: Path, seconds: float) -> None:
    click.echo()
    print_status(rows)
    click.echo(f"\nUp after {seconds:.0f} s. Console: {click.style(console, bold=True)} "
               f"(token: {token})\n\nThree things to try next:")  # fmt: skip
    for words, why in (
        (".venv/bin/slipway status", "what runs where, and whether it is as it should be"),
        ("$EDITOR environments/base/values.yaml && git commit -a", "change a strategy's parameter, then:"),
        (".venv/bin/slipway build && .venv/bin/slipway promote dev", "into dev; see docs/branch-strategy.md"),
        ('.venv/bin/slipway rollback dev --reason "trying it out"', "and back"),
    ):  # fmt: skip
        click.echo(f"  {words:<58} {why}")
    click.echo("\n`make hooks` checks your commit messages, and branches before a push"
               " (`make hooks-remove` takes it back).")  # fmt: skip
