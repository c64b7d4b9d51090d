"""`slipway doctor`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from pipelines.cli.options import examples, output_option, state_option
from pipelines.cli.output import print_json
from pipelines.cli.session import open_all
from pipelines.flows.doctor import Finding, examine

SIGNS = {"ok": ("✓", "green"), "warn": ("!", "yellow"), "fail": ("✗", "red")}


@click.command(epilog=examples("slipway doctor", "slipway doctor --repair"))
@click.option("--base-port", type=int, metavar="N", help="Ports to look at before installing.")
@click.option("--repair", is_flag=True, help="Put back a deleted or rewritten env/* branch.")
@state_option
@output_option
def command(base_port: int | None, repair: bool, state: Path, output: str) -> int:
    """Say what is wrong with this machine and this installation before it hurts."""
    from pipelines import wiring

    findings = examine(wiring.machine_facts(state, base_port))
    repaired: dict[str, str] = {}
    if (state / "installation.json").exists():
        from pipelines.flows.repair import look_over, repair_branch

        for context in open_all(state):
            commit = repair_branch(context) if repair else None
            if commit:
                repaired[context.environment] = commit
            findings += look_over(context)
    failed = [one for one in findings if one.level == "fail"]
    if output == "json":
        print_json({
            "ok": not failed, "findings": [asdict(one) for one in findings], "repaired": repaired,
        })  # fmt: skip
    else:
        print_findings(findings, repaired)
    return 1 if failed else 0


def print_findings(findings: list[Finding], repaired: dict[str, str]) -> None:
    for environment, commit in repaired.items():
        click.echo(f"env/{environment} restored to {commit[:12]}")
    width = max(len(one.name) for one in findings)
    for one in findings:
        sign, colour = SIGNS[one.level]
        click.echo(f"{click.style(sign, fg=colour)} {one.name.ljust(width)}  {one.message}")
        if one.level != "ok" and one.hint:
            click.echo(f"  {' ' * width}  {one.hint}")
