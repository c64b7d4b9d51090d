"""Whether the figures of a strategy's examination are within the limits.

Facts: figures by name (parts of 1; None where there is none), and `strategy`, the folder of the
strategy, where accepted limits of its own count. A figure that a limit asks for and that is missing
or None is refused: a gate proves or fails.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipelines.model.check import Finding
from pipelines.model.errors import BadInput
from pipelines.model.fields import Fields

RULE = "risk"
METRICS = {
    "max_drawdown": "largest fall from a peak",
    "volatility": "volatility per year",
    "value_at_risk_95": "value at risk of a day (95 %)",
    "expected_shortfall_95": "expected shortfall of a day (95 %)",
    "max_leverage": "leverage",
    "turnover": "turnover per year",
    "trades": "trades",
    "sharpe": "Sharpe ratio",
    "in_sample_sharpe": "Sharpe ratio in sample",
    "out_of_sample_sharpe": "Sharpe ratio out of sample",
}
_WHOLE = 1e9


@dataclass(frozen=True, slots=True)
class Facts:
    """`figures` may hold more than is limited."""

    strategy: str
    figures: Mapping[str, float | None]

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any]) -> Facts:
        figures = {key: value for key, value in mapping.items() if key != "strategy"}
        strategy = mapping.get("strategy", "")
        if not isinstance(strategy, str):
            raise BadInput(
                f"facts of {RULE}: strategy: {strategy!r:.60} is no name", hint="write its folder"
            )
        for key, value in figures.items():
            number = isinstance(value, int | float) and not isinstance(value, bool)
            if value is not None and not number:
                raise BadInput(
                    f"facts of {RULE}: {key}: {value!r:.60} is no number",
                    hint="write a number, or null where there is none",
                )
        return cls(strategy, figures)


@dataclass(frozen=True, slots=True)
class Limit:
    """Both ends are allowed values; None: no limit on that side."""

    least: float | None = None
    most: float | None = None


@dataclass(frozen=True, slots=True)
class Data:
    """`accepted`: of a strategy by its folder, laid over `limits`."""

    limits: Mapping[str, Limit]
    accepted: Mapping[str, Mapping[str, Limit]]

    @classmethod
    def from_mapping(cls, mapping: Mapping[str, Any], file: str) -> Data:
        top = Fields(file, mapping, ("limits", "accepted"))
        accepted = {}
        for name, value in (top.mapping("accepted") if top.has("accepted") else {}).items():
            fields = Fields(file, value, ("reason", "limits"), f"accepted.{name}")
            fields.text("reason")
            accepted[name] = _limits(fields)
        limits = _limits(top)
        if not limits:
            raise BadInput(f"{file}: limits: is empty", hint="write max_drawdown: {most: 0.35}")
        return cls(limits, accepted)

    def of(self, strategy: str) -> dict[str, Limit]:
        return {**self.limits, **self.accepted.get(strategy, {})}


def _limits(top: Fields) -> dict[str, Limit]:
    fields = top.sub("limits", METRICS)
    found = {}
    for name in top.mapping("limits"):
        limit = fields.sub(name, ("least", "most"))
        ends = {
            end: limit.number(end, -_WHOLE, _WHOLE) for end in ("least", "most") if limit.has(end)
        }
        if not ends:
            raise BadInput(f"{top.file}: {limit.path}: is empty", hint="write least or most")
        found[name] = Limit(**ends)
    return found


def judge(facts: Facts, data: Data) -> list[Finding]:
    """One finding for each limit that is broken, with both numbers."""
    found = []
    for name, limit in data.of(facts.strategy).items():
        if words := _broken(facts.figures.get(name), limit):
            who = f"{facts.strategy}: " if facts.strategy else ""
            hint = "change the strategy, or have a limit of its own accepted in policies/risk"
            found.append(Finding(f"{RULE}/{name}", f"{who}{METRICS[name]} {words}", hint=hint))
    return found


def _broken(value: float | None, limit: Limit) -> str:
    """Empty when the value is within the limit."""
    if value is None or not math.isfinite(value):
        return "could not be computed, so it cannot be judged"
    if limit.most is not None and value > limit.most:
        return f"is {value:.4g}, at most {limit.most:g} is allowed"
    if limit.least is not None and value < limit.least:
        return f"is {value:.4g}, at least {limit.least:g} is asked"
    return ""
