"""`slipway approve BRANCH`."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.options import actor, examples, output_option, reason_option, state_option
from pipelines.cli.output import print_json


@click.command(
    epilog=examples(
        "slipway approve feature/quant-strategy-breakout",
        'slipway approve hotfix/order-ids --reason "read it, and ran it on the record"',
    )
)
@click.argument("branch", metavar="BRANCH")
@reason_option("What you looked at. Kept in the evidence and the audit.")
@state_option
@output_option
def command(branch: str, reason: str, state: Path, output: str) -> None:
    """Sign that the head of BRANCH may be merged and released.

    It must have a green check. On an installation of one person, approving one's own change is
    allowed, marked as such, and stands for all reviews. A later push needs a new approval.
    """
    from pipelines import wiring_jobs
    from pipelines.flows.approve import approve

    where, said = approve(wiring_jobs.open_desk(state, actor()), branch, reason.strip())
    own = bool(said.predicate["self_approval"])
    if output == "json":
        print_json({
            "branch": branch, "commit": where.head, "target": where.target,
            "source": where.source, "actor": said.signer, "self_approval": own, "at": said.at,
        })  # fmt: skip
        return
    what = "approved (self-approval)" if own else "approved"
    click.echo(f"{branch} {where.head[:12]} is {what} by {said.signer}")
    following = (
        f"slipway merge {branch}"
        if where.target == "develop"
        else f"slipway build, then: slipway promote production {branch} --reason …"
    )
    click.echo(f"  next: {following}")
