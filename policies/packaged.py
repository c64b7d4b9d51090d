"""The only module here that reads files: what was packaged with this engine."""

from __future__ import annotations

from functools import cache
from importlib import resources

from pipelines.model.errors import BadInput


@cache
def text(rule: str, name: str) -> str:
    """`policy.yaml` or `cases.yaml` of a room. BadInput when the engine has none."""
    try:
        return resources.files("policies").joinpath(rule, name).read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            f"policies/{rule}/{name}: cannot be read: {error}",
            hint="the installed engine is damaged: run `slipway up` again",
        ) from None
