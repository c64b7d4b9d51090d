"""`slipway build`."""

from __future__ import annotations

from pathlib import Path

import click

from pipelines.cli.options import examples, output_option, state_option
from pipelines.cli.output import print_json
from pipelines.cli.progress import Printer
from pipelines.flows.context import Progress


@click.command(epilog=examples("slipway build", "slipway build && slipway promote dev"))
@state_option
@output_option
def command(state: Path, output: str) -> None:
    """Build HEAD of the checkout into a release: content-addressed, built once, never changed.

    Uncommitted changes are refused. The same content gives the same release. Releases that no slot
    names and no rollback window reaches are removed.
    """
    from pipelines import wiring
    from pipelines.cli.session import open_all
    from pipelines.flows.pruning import prune

    say = Printer(quiet=output == "json")
    say(Progress("build", "release", "running", "wheel, locked dependencies, digests"))
    before = {release.id for release in wiring.open_store(state).all()}
    release = wiring.open_store(state).build(wiring.checkout(state))
    new = release.id not in before
    say(Progress("build", "release", "done", release.id))
    gone = prune(open_all(state), built=release.id)
    if output == "json":
        print_json({
            "release": release.id, "version": release.version, "new": new,
            "artifact": release.artifact, "commit": release.source_commit, "pruned": gone,
        })  # fmt: skip
        return
    words = "built" if new else "nothing to do, this content was built before:"
    click.echo(f"{words} {release.id} (version {release.version}, {release.source_subject})")
    if gone:
        click.echo(f"  removed {len(gone)} that no slot names and no rollback window reaches")
    click.echo(f"  next: slipway promote dev {release.id}")
