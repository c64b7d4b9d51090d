"""`slipway image`."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pipelines.cli.options import examples, output_option, state_option
from pipelines.cli.output import print_json
from pipelines.cli.progress import Printer
from pipelines.flows.context import Progress
from pipelines.model.errors import BadInput, Refused
from pipelines.model.image import DEFAULT_BASE, DEFAULT_ENGINE_BASE, BuiltImage

if TYPE_CHECKING:
    from pipelines.wiring_images import ImageBuilder


@click.command(
    epilog=examples(
        "slipway image",
        "slipway image r-3f2a --save trading.tar",
        "slipway image --repository registry.example.org/team/trading --push",
        "slipway image --engine --save engine.tar",
    )
)
@click.argument("release", required=False)
@click.option("--engine", is_flag=True, help="Slipway itself, for controller and hooks.")
@click.option(
    "--repository", metavar="NAME",
    help="Name of the image without its tag  [default: slipway/<application>, slipway/engine]",
)  # fmt: skip
@click.option(
    "--base-image", metavar="IMAGE",
    help=f"What it builds on (SLIPWAY_BASE_IMAGE): Python 3, and git for --engine "
    f"[default: {DEFAULT_BASE}]",
)  # fmt: skip
@click.option(
    "--save", metavar="FILE", type=click.Path(dir_okay=False, path_type=Path),
    help="Write it as an archive, for `docker load`, `ctr images import` and skopeo.",
)  # fmt: skip
@click.option("--push", is_flag=True, help="Push it to the registry that --repository names.")
@state_option
@output_option
def command(
    release: str | None, engine: bool, repository: str | None, base_image: str | None,
    save: Path | None, push: bool, state: Path, output: str,
) -> None:  # fmt: skip
    """Make the container image of a release (default: the newest), by the Docker Engine that
    answers at DOCKER_HOST. Its tag is the release's id; the same content gives the same digest.

    The build itself has no network: wheels are fetched before it, by the hashes of the lock.
    """
    if engine and release:
        raise BadInput(f"--engine and release {release} exclude each other", hint="leave out one")
    if push and not repository:
        raise BadInput("--push needs to know where to", hint="--repository REGISTRY/NAME")
    from pipelines.wiring_images import image_builder

    builder = image_builder(state)
    base = (
        base_image
        or os.environ.get("SLIPWAY_BASE_IMAGE")
        or (DEFAULT_ENGINE_BASE if engine else DEFAULT_BASE)
    )
    say = Printer(quiet=output == "json")
    with _told(say) as step:
        if engine:
            image = builder.engine(repository or "slipway/engine", base, save, step)
        else:
            image = _of_release(state, builder, release, repository, base, save, step)
        pushed = None
        if push:
            step("push", image.name)
            pushed = builder.push(image)
    _print(image, save, pushed, output)


def _of_release(
    state: Path, builder: ImageBuilder, wanted: str | None, repository: str | None, base: str,
    save: Path | None, step: Callable[[str, str], None],
) -> BuiltImage:  # fmt: skip
    from pipelines import wiring

    store = wiring.open_store(state)
    release = store.get(wanted) if wanted else store.newest()
    if release is None:
        raise Refused("no release was built yet", hint="slipway build")
    repository = repository or f"slipway/{release.application.name}"
    return builder.application(release, repository, base, save, step)


@contextmanager
def _told(say: Printer) -> Iterator[Callable[[str, str], None]]:
    """Each step ends when the next one begins."""
    running: list[tuple[str, str, float]] = []

    def end(status: str) -> None:
        if running:
            name, words, began = running.pop()
            say(Progress("image", name, status, words, seconds=time.monotonic() - began))

    def step(name: str, words: str) -> None:
        end("done")
        running.append((name, words, time.monotonic()))
        say(Progress("image", name, "running", words))

    try:
        yield step
    except BaseException:
        end("failed")
        raise
    end("done")


def _print(image: BuiltImage, save: Path | None, pushed: str | None, output: str) -> None:
    """`pushed`: the digest in the registry; None where it was not pushed."""
    if output == "json":
        file = str(save.resolve()) if save else None
        print_json({**asdict(image), "file": file, "pushed": pushed})
        return
    click.echo(f"{image.name} is {image.digest} ({image.size_bytes / 1e6:.0f} MB)")
    if save:
        click.echo(f"  written to {save}")
    if pushed is not None:
        click.echo(f"  the registry has it as {pushed}")
    else:
        repository, _, tag = image.name.rpartition(":")
        click.echo(f"  this Docker Engine has tag {tag} of {repository}; --push sends it on")
