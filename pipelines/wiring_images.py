"""Who builds images. Apart from `wiring`, because nothing else needs it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pipelines.adapters.images.builder import ImageBuilder as ImageBuilder


def image_builder(state: Path) -> ImageBuilder:
    """For the releases of `state` and the engine of its checkout."""
    from pipelines import wiring
    from pipelines.adapters.images.builder import ImageBuilder as Builder

    return Builder(state, wiring.checkout(state))
