"""The shape in which every check reports: name, verdict, reason, sample size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Check:
    """`samples`: on how many cases the verdict rests; 0 proves nothing."""

    name: str
    ok: bool
    message: str
    samples: int


def report(checks: Sequence[Check]) -> dict[str, object]:
    """`{"ok": …, "checks": […]}`; no checks at all is not ok."""
    return {
        "ok": bool(checks) and all(check.ok for check in checks),
        "checks": [asdict(check) for check in checks],
    }


def text(checks: Sequence[Check]) -> str:
    """The same for people, a line for each check."""
    lines = [
        f"{'ok  ' if check.ok else 'FAIL'}  {check.name}: {check.message} ({check.samples} samples)"
        for check in checks
    ]
    return "\n".join(lines) or "FAIL  nothing was checked"
