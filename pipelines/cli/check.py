"""`slipway check`."""

from __future__ import annotations

import json
import os
import signal
from pathlib import Path
from typing import Any

import click

from pipelines.cli.options import examples, output_option, state_option
from pipelines.cli.output import print_json
from pipelines.model.errors import BadInput

FORMATS = ("table", "markdown", "json", "sarif")
LARGEST_TEXT_BYTES = 4_000_000


@click.command(
    epilog=examples(
        "slipway check",
        "slipway check --stage quality --stage policy",
        "slipway check --format markdown > report.md",
        "slipway check --follow feature/quant-strategy-breakout",
    )
)
@click.option(
    "--stage", "stages", metavar="NAME", multiple=True, help="Only this stage; repeatable."
)
@click.option("--base", metavar="REF", default="", help="Compare with where REF was left.")
@click.option(
    "--all", "everything", is_flag=True, help="Judge the whole tree, not the change alone."
)
@click.option("--branch", metavar="NAME", default="", help="Judge as this branch (detached HEAD).")
@click.option("--commit", metavar="REV", default="HEAD", help="Judge this commit.")
@click.option(
    "--pull-request", metavar="FILE", type=click.Path(path_type=Path),
    help="Text of the pull request.",
)  # fmt: skip
@click.option(
    "--advisories", metavar="FILE", type=click.Path(path_type=Path),
    help="Snapshot of advisories, in place of asking live.",
)  # fmt: skip
@click.option(
    "--format", "shape", type=click.Choice(FORMATS), default="table", show_default=True,
    help="What is printed.",
)  # fmt: skip
@click.option(
    "--report-dir", metavar="DIR", type=click.Path(path_type=Path),
    help="Write report.md, .json, .sarif and attachments there too.",
)  # fmt: skip
@click.option("--fresh", is_flag=True, help="Use no earlier answer.")
@click.option("--follow", metavar="BRANCH", help="Show the check of a pushed branch, to its end.")
@click.option("--again", is_flag=True, help="With --follow: have it checked once more.")
@state_option
@output_option
def command(
    stages: tuple[str, ...],
    base: str,
    everything: bool,
    branch: str,
    commit: str,
    pull_request: Path | None,
    advisories: Path | None,
    shape: str,
    report_dir: Path | None,
    fresh: bool,
    follow: str | None,
    again: bool,
    state: Path,
    output: str,
) -> int:
    """Say what a reviewer would: policy, quality, strategy, security, migrations, render.

    Judges what is committed, against the branch it would be merged to. Stages run side by side,
    only for what the change touches; an answer is kept as long as nothing it rests on changes.
    """
    if follow:
        from pipelines.cli.check_follow import follow as watch

        return watch(state, follow, output, again=again)
    from pipelines import wiring_check
    from pipelines.stages.protocol import Options

    for number in (signal.SIGTERM, signal.SIGHUP):  # as Ctrl-C: what runs ends with us
        signal.signal(number, _stop)
    shape = "json" if output == "json" else shape
    check = wiring_check.open_check(
        state,
        wiring_check.wanted_here(
            os.environ,
            branch=branch,
            commit=commit,
            base=base,
            everything=everything,
            pull_request=_text(pull_request),
        ),
        checkout=wiring_check.checkout_to_judge(Path.cwd(), state),
        stages=stages,
        options=Options(advisories=_file(advisories)),
        fresh=fresh,
    )
    from pipelines.cli.check_display import CheckDisplay

    with CheckDisplay(quiet=output == "json") as display:
        report = check.run(display)
    _print(report, shape)
    if report_dir is not None:
        _write(report, report_dir)
    return 0 if report.passed else 1


def _stop(number: int, frame: Any) -> None:
    raise KeyboardInterrupt


def _file(path: Path | None) -> Path | None:
    if path is not None and not path.is_file():
        raise BadInput(f"{path}: there is no such file", hint="slipway check --help")
    return path.resolve() if path is not None else None


def _text(path: Path | None) -> str | None:
    """The pull request's text; what is in it is for the policy to judge."""
    if _file(path) is None or path is None:
        return None
    with path.open("rb") as file:
        content = file.read(LARGEST_TEXT_BYTES + 1)
    if len(content) > LARGEST_TEXT_BYTES:
        raise BadInput(
            f"{path}: more than {LARGEST_TEXT_BYTES:,} bytes", hint="is this the right file?"
        )
    return content.decode("utf-8", "replace")


def _print(report: Any, shape: str) -> None:
    if shape == "table":
        from pipelines.cli.check_table import print_report

        print_report(report)
    elif shape == "markdown":
        click.echo(_markdown(report), nl=False)
    else:
        print_json(_document(report, shape))


def _document(report: Any, shape: str) -> dict[str, Any]:
    if shape == "sarif":
        from pipelines.stages.report_sarif import report_sarif

        return report_sarif(report)
    from pipelines.stages.report_json import report_document

    return report_document(report)


def _markdown(report: Any) -> str:
    """With links to the files where GitHub runs this."""
    from pipelines.stages.report_markdown import Links, report_markdown

    server, repository = (os.environ.get(f"GITHUB_{n}", "") for n in ("SERVER_URL", "REPOSITORY"))
    return report_markdown(report, Links(f"{server}/{repository}/blob" if repository else ""))


def _write(report: Any, folder: Path) -> None:
    import shutil

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.md").write_text(_markdown(report))
    for name in ("json", "sarif"):
        text = json.dumps(_document(report, name), indent=2, ensure_ascii=False)
        (folder / f"report.{name}").write_text(text + "\n")
    for stage in report.stages:
        for attachment in stage.attachments:
            (folder / stage.stage).mkdir(exist_ok=True)
            shutil.copy2(attachment.path, folder / stage.stage / attachment.name)
