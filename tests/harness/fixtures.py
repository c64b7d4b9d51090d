"""The installation that acceptance and fault tests share: made once, always ended."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.harness.installation import Installation, borrowed, clone
from tests.planted.edits import open_promotion

FIRST_UP_SECONDS = 180.0


def new_folder(prefix: str) -> Path:
    """A folder that the PostgreSQL user may pass through when the tests run as root."""
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    folder.chmod(0o755)
    return folder


def begin(made: Installation, *, strict: bool = False) -> Installation:
    """Before the first `up`: a policy that demands nothing of promotions, unless `strict`."""
    if not strict:
        made.first_head = made.commit(open_promotion, "Demand nothing of a promotion")
    return made


@pytest.fixture(scope="session")
def installation() -> Iterator[Installation]:
    """A clone of HEAD, with a policy that demands nothing, on which somebody has typed `make up`."""
    root = new_folder("slipway-accept-")
    made = begin(Installation(clone(root / "checkout"), root / "state"))
    try:
        code, output, seconds = made.make_up()
        assert code == 0, f"make up → {code}\n{output}"
        made.first_up_output, made.first_up_seconds = output, seconds
        yield made
    finally:
        left = made.down()
        if os.environ.get("SLIPWAY_TESTS_KEEP"):
            print(f"kept: {root}")
        else:
            shutil.rmtree(made.runtime, ignore_errors=True)
            shutil.rmtree(root, ignore_errors=True)
    assert not left, f"slipway down left running: {left}"


@contextmanager
def another(
    first: Installation,
    where: Path | None = None,
    *,
    edit: Callable[[Path], None] | None = None,
    strict: bool = False,
) -> Iterator[Installation]:
    """A second installation from its own clone, for what would leave traces in the shared one.

    `edit` changes the clone, and is committed, before anything is built from it. `strict`: the
    policy about promotions stays as it is.
    """
    root = where or new_folder("slipway-another-")
    checkout = clone(root / "checkout")
    made = begin(Installation(checkout, root / "state", command=borrowed(first)), strict=strict)
    if edit is not None:
        made.commit(edit, "Begin with another tree")
    try:
        answer = made.run(
            "up", "--state", str(made.state), "--base-port", str(made.base_port), timeout=400
        )
        assert answer.code == 0, str(answer)
        yield made
    finally:
        made.remove()
        shutil.rmtree(checkout, ignore_errors=True)
        if where is None:
            shutil.rmtree(root, ignore_errors=True)
