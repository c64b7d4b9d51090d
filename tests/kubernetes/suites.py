"""Which tests that need Kubernetes run together, and for how long they may."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

HERE = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Suite:
    """Tests of one pytest process, which share what takes long to make.

    `patterns`: files of this folder, or paths from the repository's; a suite without any takes the
    files no other has. `limit_seconds` is some three times what an idle machine of two cores takes.
    One with `own_images` asks how images are made, so it makes and removes its own.
    """

    name: str
    limit_seconds: float
    patterns: tuple[str, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    own_images: bool = False


SUITES = (
    Suite("releases", 1800, ("test_release.py", "test_faults_on_a_cluster.py")),
    Suite("argo-cd", 1500, ("test_argo*.py",)),
    Suite("document", 900, ("test_the_document*.py",)),
    Suite("controller", 900, ("test_controller*.py",)),
    Suite("images", 900, ("test_image*.py", "test_engine_image.py"), own_images=True),
    Suite("target", 700, ("tests/target_suite",), {"SLIPWAY_SUITE_TARGET": "kubernetes"}),
    Suite("others", 700),
)
"""In the order in which they begin: those that take long first, so that lanes end together."""


def paths(suite: Suite, suites: Sequence[Suite] = SUITES, folder: Path = HERE) -> list[str]:
    """From the repository's folder, in the order of the patterns; empty where there is no such test
    yet."""
    root = folder.parents[1]
    if not suite.patterns:
        taken = {path for other in suites if other.patterns for path in paths(other, (), folder)}
        every = (str(file.relative_to(root)) for file in folder.glob("test_*.py"))
        return sorted(path for path in every if path not in taken)
    found: list[str] = []
    for pattern in suite.patterns:
        if "/" in pattern:
            found += [pattern] if (root / pattern).is_dir() else []
        else:
            found += sorted(str(file.relative_to(root)) for file in folder.glob(pattern))
    return found
