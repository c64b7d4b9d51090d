"""What one check says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class Verdict:
    """`samples`: on how many cases it rests; 0 proves nothing. `details`: one line each, such as
    the places in the source. The same subject gives the same verdict: no seconds, no paths."""

    name: str
    ok: bool
    message: str
    samples: int
    details: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, object]:
        return {**asdict(self), "details": list(self.details)}


def not_run(name: str, why: str) -> Verdict:
    """A check that could not be made: never ok."""
    return Verdict(name, False, f"not examined: {why}", 0)


def listed(name: str, problems: Sequence[str], good: str, samples: int) -> Verdict:
    """Ok with the words `good` where there is no problem; else the first, all as details."""
    if not problems:
        return Verdict(name, True, good, samples)
    more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
    return Verdict(name, False, f"{problems[0]}{more}", samples, tuple(problems[:50]))
