"""Puts git into the judgement of a checkout by its rules."""

from __future__ import annotations

import os
from pathlib import Path

from pipelines.model.check import Change


def change_of_checkout(state: Path) -> tuple[Change | None, tuple[str, ...]]:
    """What HEAD of the checkout around the working directory would merge, and notes; None and why
    outside of one. Raises BadInput as `Changes.read`."""
    from pipelines.adapters.change import Wanted, branch_of_workflow, find_checkout
    from pipelines.stages.policy import READS
    from pipelines.wiring_check import open_changes

    checkout = find_checkout(Path.cwd())
    if checkout is None:
        return None, ("no checkout here: only the rules of this engine were judged",)
    branch, target = branch_of_workflow(os.environ)
    return open_changes(state, checkout, parts=READS).read(Wanted(branch=branch, target=target))
