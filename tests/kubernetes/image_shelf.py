"""Images that several suites need are made once, by the first that asks.

Where SLIPWAY_SUITE_IMAGES names a folder, all of them share it, and one Docker Engine (DOCKER_HOST).
"""

from __future__ import annotations

import dataclasses
import fcntl
import json
import os
from collections.abc import Callable
from pathlib import Path

from pipelines.model.image import BuiltImage

VARIABLE = "SLIPWAY_SUITE_IMAGES"

Built = tuple[BuiltImage, Path]
"""What was made, and its archive."""


def once(key: str, own: Path, make: Callable[[Path], BuiltImage]) -> Built:
    """From the shelf, or by `make`, which writes the archive it is given: in `own` without a shelf."""
    shelf = os.environ.get(VARIABLE)
    if not shelf:
        archive = own / f"{key}.tar"
        return make(archive), archive
    archive, known = Path(shelf) / f"{key}.tar", Path(shelf) / f"{key}.json"
    with (Path(shelf) / f"{key}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # goes with the process
        if not known.exists():
            made = make(archive)
            known.write_text(json.dumps(dataclasses.asdict(made)))
        return BuiltImage(**json.loads(known.read_text())), archive
