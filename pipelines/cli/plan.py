"""`slipway plan -f DESIRED… [--live LIVE…]`."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.options import SeveralWords, examples
from pipelines.cli.output import print_json

if TYPE_CHECKING:
    from pipelines.model.sync import FieldChange, PlanStep, SyncPlan

COLOURS = {"create": "green", "change": "yellow", "replace": "red", "prune": "red", "hook": "cyan"}
SIGNS = {"create": "+", "change": "~", "replace": "±", "prune": "-", "hook": "»", "skip": "·"}
SHOWN_CHARACTERS = 60


@click.command(
    cls=SeveralWords,
    epilog=examples(
        "slipway plan -f rendered/",
        "slipway plan -f new.yaml --live old.yaml --output json",
        "helm template edge charts/edge | slipway plan -f - --namespace slipway-dev",
        "slipway plan -f slots/ --live live.json --application application.yaml --exit-code",
    ),
)
@click.option("-f", "--filename", "desired", multiple=True, required=True, metavar="PATH",
              help="What shall be: a file, a folder (all depths), or - for standard input.")  # fmt: skip
@click.option("--live", multiple=True, metavar="PATH",
              help="What is there: files or folders, as `kubectl get -o yaml` writes them.")  # fmt: skip
@click.option("--application", default="", metavar="FILE",
              help="An Argo CD Application: its name, namespace, options, ignored fields.")  # fmt: skip
@click.option("--name", default="", help="Name of the application, as tracking ids begin.")
@click.option("-n", "--namespace", default="",
              help="Of objects that name none  [default: the Application's, or default]")  # fmt: skip
@click.option("--prune/--no-prune", default=None,
              help="Remove what is no longer desired  [default: the Application's, or --prune]")  # fmt: skip
@click.option("--allow-empty", is_flag=True, help="Accept that nothing is desired and all goes.")
@click.option("--exit-code", is_flag=True, help="Exit with 1 when anything would change.")
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table",
              show_default=True, help="json: one object on standard output, for programs.")  # fmt: skip
@click.pass_context
def command(ctx: click.Context, /, exit_code: bool, output: str, **asked: Any) -> None:
    """Show what a sync would do, from files alone: no cluster and no installation is needed.

    Steps come in the order they run: phase, wave, prunes, kind. Exit code 0 whatever the plan says,
    unless --exit-code is given; 2 for manifests that are wrong.
    """
    from pipelines.flows.offline_plan import Question, changes_anything, document, offline_plan

    plan = offline_plan(Question(**asked))
    if output == "json":
        print_json(document(plan))
    else:
        _print(plan)
    if exit_code and changes_anything(plan):
        ctx.exit(1)


def _print(plan: SyncPlan) -> None:
    from pipelines.flows.offline_plan import summary

    counts = summary(plan)
    place: tuple[str, int] | None = None
    for step in plan.steps:
        if step.action == "nothing":
            continue
        if place != (step.phase, step.wave):
            place = (step.phase, step.wave)
            click.echo(click.style(f"{step.phase.value}, wave {step.wave}", bold=True))
        _print_step(step)
    shown = {f"{step.key}: {step.message}" for step in plan.steps}
    for warning in plan.warnings:
        if warning not in shown:
            click.echo(f"warning: {warning}")
    done = ", ".join(f"{count} {action}" for action, count in counts.items() if count)
    click.echo(done or "nothing desired, nothing live")


def _print_step(step: PlanStep) -> None:
    from pipelines.flows.offline_plan import masked

    action = step.action.value
    sign = click.style(f"{SIGNS[action]} {action:<8}", fg=COLOURS.get(action))
    click.echo(f"  {sign}{step.key}")
    if step.message:
        click.echo(f"      {step.message}")
    for change in step.changes:
        click.echo(f"      {_words(masked(change, step.key))}")


def _words(change: FieldChange) -> str:
    line = f"{change.path}: {_short(change.old)} → {_short(change.new)}"
    if change.immutable:
        line += " (immutable)"
    if change.manager:
        line += f" [{' '.join(filter(None, (change.manager, change.since)))}]"
    return line


def _short(value: object) -> str:
    if value is None:
        return "-"
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= SHOWN_CHARACTERS else f"{text[: SHOWN_CHARACTERS - 1]}…"
