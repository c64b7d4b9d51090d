"""`slipway health -f FILE…`."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import click

from pipelines.cli.options import SeveralWords, examples
from pipelines.cli.output import paint, print_json, print_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pipelines.flows.offline_health import Assessed

COLUMNS = 80
COLUMN_NAMES = ["status", "kind", "namespace", "name"]


@click.command(
    cls=SeveralWords,
    epilog=examples(
        "slipway health -f live.yaml",
        "slipway health -f dump/ -f more.yaml --output json",
        "kubectl get all --output yaml | slipway health -f - --exit-code",
    ),
)
@click.option("-f", "--filename", "files", multiple=True, required=True, metavar="PATH",
              help="Objects with their status, as `kubectl get -o yaml` writes them: a file, "
              "a folder (all depths), or - for standard input.")  # fmt: skip
@click.option("--exit-code", is_flag=True,
              help="Exit with 1 when anything is Degraded, Missing or Unknown.")  # fmt: skip
@click.option("-o", "--output", type=click.Choice(["table", "json"]), default="table",
              show_default=True, help="json: a list in the order of the files, for programs.")  # fmt: skip
@click.pass_context
def command(ctx: click.Context, files: tuple[str, ...], exit_code: bool, output: str) -> None:
    """Judge the health of Kubernetes objects as Argo CD does, from files alone.

    The states are Healthy, Suspended, Progressing, Missing, Degraded and Unknown, best to worst. A
    kind that Argo CD has no check for has no state: null in JSON, a dash in the table.
    """
    from pipelines.flows.offline_health import anything_bad, offline_health

    found = offline_health(files)
    if output == "json":
        print_json([one.document() for one in found])
    else:
        _print(found)
    if exit_code and anything_bad(found):
        ctx.exit(1)


def _print(found: Sequence[Assessed]) -> None:
    """The worst first would hide which file is meant: rows stay in order, messages under the table."""
    from pipelines.flows.offline_health import altogether, counts

    if not found:
        click.echo("no objects")
        return
    print_table([one.document() for one in found], COLUMN_NAMES)
    messages = [one for one in found if one.health and one.health.message]
    if messages:
        click.echo()
    for one in messages:
        assert one.health
        click.echo(f"{paint(one.health.status.value)}  {one.resource.key}")
        click.echo(_wrapped(one.health.message))
    whole = altogether(found)
    numbers = ", ".join(f"{number} {state}" for state, number in counts(found).items())
    click.echo(f"\n{numbers}; altogether {paint(whole.status.value)}")
    if whole.message:
        click.echo(_wrapped(whole.message))


def _wrapped(text: str) -> str:
    return textwrap.fill(
        " ".join(text.split()), COLUMNS, initial_indent="  ", subsequent_indent="  ",
        break_long_words=False, break_on_hyphens=False,
    )  # fmt: skip
