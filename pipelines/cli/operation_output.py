"""How an operation or a plan is told, and which exit code it means."""

from __future__ import annotations

from dataclasses import asdict

import click

from pipelines.cli.output import paint, print_json, seconds
from pipelines.cli.session import operation_json
from pipelines.model.plan import Plan
from pipelines.records.protocols import Operation

EXIT_CODES = {"succeeded": 0, "refused": 1, "preempted": 3, "running": 0, "undone": 4, "failed": 5}


def show_outcome(environment: str, outcome: Operation, output: str) -> int:
    """Print what came of it; returns the exit code."""
    body = operation_json(environment, outcome)
    if output == "json":
        print_json(body)
        return EXIT_CODES.get(outcome.status, 5)
    switch = f", switched in {outcome.switch_seconds:.2f} s" if outcome.switch_seconds else ""
    click.echo(f"{environment}: {paint(outcome.status)} — {outcome.release} "
               f"({outcome.from_slot} → {outcome.to_slot}, {seconds(body['seconds'])}{switch})")  # fmt: skip
    if outcome.message:
        click.echo(f"  {outcome.message}")
    return EXIT_CODES.get(outcome.status, 5)


def show_plan(plan: Plan, output: str) -> int:
    if output == "json":
        print_json({**asdict(plan), "digest": plan.digest})
        return 0
    click.echo(f"{plan.environment}: {plan.title}")
    if plan.empty:
        click.echo("  nothing to do")
    for item in plan.items:
        click.echo(f"  {item.action:<10} {item.change}")
    if plan.way_back:
        click.echo(f"  way back   {plan.way_back}")
    return 0


def nothing_to_do(plan: Plan, output: str) -> int:
    """The release is active already: exit 0, in the documented shape."""
    if output == "json":
        print_json({
            "environment": plan.environment, "release": plan.release, "from_slot": plan.from_slot,
            "to_slot": plan.from_slot, "seconds": 0.0, "switch_seconds": None, "steps": [],
            "result": "succeeded", "message": "nothing to do",
        })  # fmt: skip
    else:
        click.echo(f"{plan.environment}: nothing to do, {plan.release} is active already")
    return 0
