"""What a hook in a cluster has to work with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pipelines.flows.context import Context
from pipelines.model.delivery import Delivery
from pipelines.model.hook import HookRecords
from pipelines.targets.kubernetes.hook_files import HookFiles

Told = tuple[str, dict[str, Any]]
"""What a hook did in words, and what is kept beside them."""


@dataclass(frozen=True, slots=True)
class Desk:
    """One hook. `once_key`: empty where the step has none. `backups`: a folder that outlives the pod,
    `none` where people decided that the environment needs none, empty where nobody decided."""

    ctx: Context
    delivery: Delivery
    records: HookRecords
    files: HookFiles
    once_key: str = ""
    backups: str = ""
