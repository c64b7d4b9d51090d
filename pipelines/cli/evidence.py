"""`slipway evidence show|verify|export RELEASE`, `keys`, `prove FOLDER`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from pipelines.cli.options import examples, output_option, state_option
from pipelines.cli.output import print_json, print_table
from pipelines.cli.session import open_environment
from pipelines.model.check import STAGES
from pipelines.model.release import ENVIRONMENTS

COLUMNS = ["number", "at", "says", "what", "about", "tools"]
FIRST = ENVIRONMENTS[0]

release_argument = click.argument("release", metavar="RELEASE")


@click.group()
def command() -> None:
    """Show or verify who says what about a release, signed and chained.

    RELEASE is a release's id, the beginning of it, or its version; a source digest or a commit too.
    """


@command.command(
    epilog=examples(
        "slipway evidence show r-0123456789abcdef", "slipway evidence show 1.2.0 -o json"
    )
)
@release_argument
@state_option
@output_option
def show(release: str, state: Path, output: str) -> int:
    """Print every statement about RELEASE: who, what, when, with which tools.

    Exit code 1 when the statements may not be believed; each reason is printed.
    """
    context = open_environment(state, FIRST, output="json")
    from pipelines.flows.evidence import proven_about
    from pipelines.flows.proof import rows_of, statements_json, subject_of

    subject = subject_of(context, release)
    proven = proven_about(context, subject.source)
    if output == "json":
        print_json({
            **_subject_json(subject), "statements": statements_json(proven),
            "problems": list(proven.problems),
        })  # fmt: skip
    else:
        _print_subject(subject)
        print_table(rows_of(proven), COLUMNS)
        _print_problems(proven.problems)
    return 1 if proven.problems else 0


@command.command(
    epilog=examples(
        "slipway evidence verify r-0123456789abcdef",
        "slipway evidence verify 1.2.0 --gate security --gate strategy",
        "slipway evidence verify r-0123456789abcdef --rerun --gate strategy",
    )
)
@release_argument
@click.option(
    "--gate", "gates", multiple=True, type=click.Choice(STAGES),
    help="Demand that this stage passed; may be repeated.",
)  # fmt: skip
@click.option(
    "--rerun", is_flag=True,
    help="Repeat the gates (all that were checked, or those named) and compare byte by byte.",
)  # fmt: skip
@state_option
@output_option
def verify(release: str, gates: tuple[str, ...], rerun: bool, state: Path, output: str) -> int:
    """Check signatures, roles, order and completeness of all that is said about RELEASE.

    Exit code 0 when all of it holds, 1 with every problem.
    """
    context = open_environment(state, FIRST, output="json")
    from pipelines.flows.proof import Repeated, problems_of, repeat, subject_of

    subject = subject_of(context, release)
    proven, problems = problems_of(context, subject, gates)
    repeated: list[Repeated] = []
    if rerun and not proven.problems:
        from pipelines.wiring_evidence import rerun as again

        repeated = repeat(proven, gates, lambda said: again(state, said))
        problems += [f"stage {r.stage} again: {r.words}" for r in repeated if not r.same]
    count = len(proven.statements)
    if output == "json":
        print_json({
            **_subject_json(subject), "proven": not problems, "statements": count,
            "problems": problems,
            "repeated": [
                {"stage": r.stage, "commit": r.commit, "same": r.same, "message": r.words}
                for r in repeated
            ],
        })  # fmt: skip
    else:
        _print_subject(subject)
        for one in repeated:
            click.echo(f"{one.stage} at {one.commit[:12]}: {one.words}")
        _print_problems(problems)
        if not problems:
            click.echo(f"{count} statements, every one signed, in order and complete")
    return 1 if problems else 0


@command.command(epilog=examples("slipway evidence keys > policies/promotion/keys/trusted.json"))
@state_option
@output_option
def keys(state: Path, output: str) -> None:
    """Print the public keys this installation trusts, to be committed where others shall trust it.

    Either way it is the text of `trusted.json`: role, signer, key.
    """
    del output
    from pipelines.wiring_evidence import public_keys

    click.echo(public_keys(state))


@command.command(epilog=examples("slipway evidence export 1.2.0 ./evidence-1.2.0"))
@release_argument
@click.argument("folder", metavar="FOLDER", type=click.Path(path_type=Path))
@state_option
@output_option
def export(release: str, folder: Path, state: Path, output: str) -> int:
    """Copy what is said about RELEASE into FOLDER, for a pipeline elsewhere."""
    context = open_environment(state, FIRST, output="json")
    from pipelines.flows.proof import subject_of
    from pipelines.wiring_evidence import export_bundle

    subject = subject_of(context, release)
    count = export_bundle(state, subject.source, folder)
    if output == "json":
        print_json({**_subject_json(subject), "statements": count, "folder": str(folder)})
    else:
        click.echo(f"{count} statements about sha256:{subject.source} are in {folder}")
    return 0 if count else 1


@command.command(
    epilog=examples(
        "slipway evidence prove ./evidence-1.2.0 --source SHA256 --keys policies/promotion/keys",
        "slipway evidence prove ./evidence-1.2.0 --source SHA256 --keys KEYS --least 11",
    )
)
@click.argument(
    "folder", metavar="FOLDER", type=click.Path(exists=True, file_okay=False, path_type=Path)
)
@click.option("--source", required=True, metavar="SHA256", help="What it must be about.")
@click.option(
    "--keys", "keys_folder", required=True, type=click.Path(path_type=Path),
    help="Folder with trusted.json, from the branch a merge goes to.",
)  # fmt: skip
@click.option("--least", default=1, show_default=True, help="Statements there must be at least.")
@output_option
def prove(folder: Path, source: str, keys_folder: Path, least: int, output: str) -> int:
    """Check exported evidence by committed keys; needs no installation."""
    from pipelines.flows.proof import rows_of, statements_json
    from pipelines.wiring_evidence import prove_bundle

    proven = prove_bundle(folder, keys_folder, source.removeprefix("sha256:"))
    problems = list(proven.problems)
    if len(proven.statements) < least:
        problems.append(f"{len(proven.statements)} statements are there, {least} are wanted")
    if output == "json":
        print_json({"source": proven.source, "statements": statements_json(proven),
                    "problems": problems, "proven": not problems})  # fmt: skip
    else:
        print_table(rows_of(proven), COLUMNS)
        _print_problems(problems)
    return 1 if problems else 0


def _subject_json(subject: Any) -> dict[str, str]:
    return {
        "source": subject.source, "release": subject.release, "version": subject.version,
        "commit": subject.commit,
    }  # fmt: skip


def _print_subject(subject: Any) -> None:
    if subject.release:
        click.echo(f"release  {subject.release} (version {subject.version})")
    if subject.commit:
        click.echo(f"commit   {subject.commit}")
    click.echo(f"source   sha256:{subject.source}")


def _print_problems(problems: Any) -> None:
    for problem in problems:
        click.echo(click.style("✗ ", fg="red") + problem)
