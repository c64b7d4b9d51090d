"""`slipway sync ENV`."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.operation_output import EXIT_CODES, show_plan
from pipelines.cli.options import environment_argument, examples, output_option, state_option
from pipelines.cli.output import print_json
from pipelines.cli.session import open_environment
from pipelines.model.errors import BadInput, InProgress, NeedsPerson, Unavailable

if TYPE_CHECKING:
    from pipelines.flows.context import Context
    from pipelines.model.plan import Plan
    from pipelines.records.protocols import Operation

WATCH_SECONDS = 1.0
MOST_SYNCS = 100


@click.command(
    epilog=examples(
        "slipway sync dev --dry-run",
        "slipway sync production",
        "slipway sync dev --watch",
        "slipway sync dev --confirm-prune",
    )
)
@environment_argument
@click.option("--dry-run", is_flag=True, help="Print the plan that would run, change nothing.")
@click.option(
    "--confirm-prune",
    is_flag=True,
    help="On a cluster: agree to remove also what waits for a person (Prune=confirm).",
)
@click.option("--watch", is_flag=True, help="Go on: look each second, and do what follows.")
@state_option
@output_option
def command(
    environment: str, dry_run: bool, confirm_prune: bool, watch: bool, state: Path, output: str
) -> int:
    """Make what runs in ENV equal to the head of env/ENV; the plan printed is the one applied.

    With --watch again and again until Ctrl-C; `slipway controller` does so for ever, as an actor.
    """
    if watch and confirm_prune:
        raise BadInput(
            "--confirm-prune together with --watch would agree to what nobody has seen yet",
            hint=f"once: slipway sync {environment} --confirm-prune",
        )
    context = open_environment(state, environment, output=output)
    code = sync_once(context, dry_run, output, confirm_prune=confirm_prune)
    if watch:
        go_on(context, dry_run, output)
    return code


def go_on(context: Context, dry_run: bool, output: str) -> None:
    """Until Ctrl-C. What is over by itself - somebody else acts, a database is away - is told once."""
    told: Plan | None = None
    trouble = ""
    while True:
        time.sleep(WATCH_SECONDS)
        try:
            plan = plan_of(context)
            if not plan.empty and plan != told:
                sync_once(context, dry_run, output)
            told, trouble = plan, ""
        except (InProgress, Unavailable) as error:
            if error.message != trouble:
                click.echo(f"{error.message}; looking again", err=True)
            trouble = error.message


def sync_once(context: Context, dry_run: bool, output: str, *, confirm_prune: bool = False) -> int:
    from pipelines.flows.history import newest_entry, object_syncs
    from pipelines.flows.sync_now import need_confirmation, sync_now

    if confirm_prune:
        need_confirmation(context)
    plan = plan_of(context)
    if dry_run or plan.empty:
        return show_plan(plan, output)
    newest, before = newest_entry(context), newest_operation(context)
    done = sync_now(context, plan, confirm_prune=confirm_prune)
    syncs = object_syncs(context, MOST_SYNCS, after=newest)
    result = result_of(context, done, before)
    if output == "json":
        print_json({
            "environment": context.environment, "plan": asdict(plan), "result": result,
            "done": done, "syncs": syncs,
        })  # fmt: skip
    else:
        show_plan(plan, output)
        for one in reversed(syncs):
            click.echo(f"  {one['part']:<10} {len(one['results'])} objects: {one['message']}")
        click.echo(f"  {'done' if result == 'succeeded' else result:<10} {done}")
    return NeedsPerson.exit_code if result == "waiting" else EXIT_CODES.get(result, 5)


def newest_operation(context: Context) -> Operation | None:
    return next(iter(context.records.journal.history(1)), None)


def result_of(context: Context, done: str, before: Operation | None) -> str:
    """What came of it: the status of the operation that ended meanwhile, whoever ended it."""
    from pipelines.flows.observe import WAITING

    if done.startswith(WAITING):
        return "waiting"
    newest = newest_operation(context)
    if newest is None or newest == before or not newest.ended_at:
        return "succeeded"
    return newest.status


def plan_of(context: Context) -> Plan:
    from pipelines.flows.sync import plan_sync

    return plan_sync(context)
