"""`slipway policy [RULE…]` and `slipway policy branch -- NAME`."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from pipelines.cli.options import examples, output_option, state_option
from pipelines.cli.output import print_json, print_table
from pipelines.model.errors import BadInput, Refused

if TYPE_CHECKING:
    from pipelines.flows.policies import Row

BRANCH = "branch"


@click.command(
    epilog=examples(
        "slipway policy",
        "slipway policy promotion risk --explain",
        "slipway policy branch -- feature/quant-strategy-breakout",
    )
)
@click.argument("rules", nargs=-1, metavar="[RULE…] | branch -- NAME")
@click.option("--explain", is_flag=True, help="Title, reason, data and cases of each rule.")
@state_option
@output_option
@click.pass_context
def command(
    ctx: click.Context, rules: tuple[str, ...], explain: bool, state: Path, output: str
) -> None:
    """Judge the repository as it is by the rules in policies/, or one branch name.

    Judged are names, flow and isolation of what HEAD would merge, and that every rule still lets
    its good cases through and refuses its bad ones.
    """
    if rules and rules[0] == BRANCH:
        _branch(rules[1:], output)
        return
    from pipelines.flows.policies import chosen, overview
    from pipelines.wiring_policy import change_of_checkout

    chosen(rules)
    change, notes = (None, ()) if explain else change_of_checkout(state)
    rows = overview(change, rules)
    if output == "json":
        print_json({
            "branch": change.branch if change else None,
            "target": change.target if change else None,
            "rules": [_document(row, explain) for row in rows],
            "notes": list(notes),
        })  # fmt: skip
    elif explain:
        for row in rows:
            _explain(row)
    else:
        _table(rows, notes)
    if not all(row.ok for row in rows):
        ctx.exit(1)


def _branch(names: tuple[str, ...], output: str) -> None:
    """Exit code 0, or 1 with the reason; 2 when it is not one name."""
    if len(names) != 1:
        raise BadInput(
            f"one branch name is needed, {len(names)} were given",
            hint="slipway policy branch -- feature/quant-strategy-breakout",
        )
    from pipelines.flows.policies import judge_name

    found = judge_name(names[0])
    if found:
        raise Refused(found[0].message, hint=found[0].hint)
    if output == "json":
        print_json({"branch": names[0], "ok": True})
    else:
        click.echo(f"{names[0]}: ok")


def _table(rows: list[Row], notes: tuple[str, ...]) -> None:
    cells: list[dict[str, Any]] = [
        {
            "rule": row.rule,
            "severity": row.severity,
            "result": "ok" if row.ok else "refused",
            "message": row.message,
        }
        for row in rows
    ]
    print_table(cells, ["rule", "severity", "result", "message"])
    for row in rows:
        for finding in row.findings:
            if finding.severity == "error" and finding.hint:
                click.echo(f"  {row.rule}: {finding.hint}")
    for note in notes:
        click.echo(f"  note: {note}")


def _explain(row: Row) -> None:
    from pipelines.model import yaml_strict

    click.echo(click.style(f"{row.rule}: {row.title} ({row.severity})", bold=True))
    click.echo(f"{row.why}\n\ndata:")
    click.echo("\n".join(f"  {line}" for line in yaml_strict.dump(dict(row.data)).splitlines()))
    for heading, names in (("passes", row.good), ("is refused", row.bad)):
        click.echo(f"{heading}:")
        click.echo("\n".join(f"  - {name}" for name in names))
    for finding in row.findings:
        click.echo(f"{finding.severity}: {finding.message}")
    click.echo()


def _document(row: Row, explain: bool) -> dict[str, Any]:
    short: dict[str, Any] = {
        "rule": row.rule,
        "title": row.title,
        "severity": row.severity,
        "ok": row.ok,
        "cases": len(row.good) + len(row.bad),
        "findings": [asdict(finding) for finding in row.findings],
    }
    if explain:
        short |= {"why": row.why, "data": row.data, "good": row.good, "bad": row.bad}
    return short
