"""Which way to run Helm: the library where the extra `kubernetes` is installed, else the program."""

from __future__ import annotations

import importlib.util
import os

from pipelines.adapters.kubernetes.helm_library import HelmLibrary
from pipelines.adapters.kubernetes.helm_program import HelmProgram, program
from pipelines.model.errors import Unavailable


def renderer() -> HelmLibrary | HelmProgram:
    """`HELM` set to a path always means that program. Raises Unavailable when there is neither."""
    if not os.environ.get("HELM") and importlib.util.find_spec("helm_python"):
        return HelmLibrary()
    if path := program():
        return HelmProgram(path)
    raise Unavailable(
        "neither Helm's library nor the program helm is installed",
        hint="install `slipway[kubernetes]`, or put helm on PATH",
    )
