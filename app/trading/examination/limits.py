"""What an examination asks for: read from the file behind `--limits`, strictly.

```yaml
limits:                          # figures of the run; parts of 1 (0.05 is 5 %)
  max_drawdown: {most: 0.35}
  trades: {least: 30}
max_seconds_per_1000_bars: 1.0   # and what a run may use
```

The figures of risk belong to whoever answers for them: a check writes this file from the rules of
the branch that a merge goes to. The defaults are for an examination by hand.
"""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from trading.errors import InvalidSettings
from trading.examination.child import Bounds
from trading.yaml_file import read_yaml

Positive = Annotated[float, Field(gt=0, le=1e6, allow_inf_nan=False)]
End = Annotated[float, Field(ge=-1e9, le=1e9, allow_inf_nan=False)]
FIGURES = (
    "trades",
    "max_drawdown",
    "volatility",
    "value_at_risk_95",
    "expected_shortfall_95",
    "max_leverage",
    "turnover",
    "sharpe",
    "in_sample_sharpe",
    "out_of_sample_sharpe",
    "degradation",
)
"""Names that a limit may have, in the order of the report."""


class Limit(BaseModel):
    """Both ends are allowed values; None: no limit on that side."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    least: End | None = None
    most: End | None = None

    @model_validator(mode="after")
    def _has_an_end(self) -> Limit:
        if self.least is None and self.most is None:
            raise ValueError("write least or most")
        return self


_TRADES = Limit(least=30)
_DEFAULT = {
    "trades": _TRADES,
    "max_drawdown": Limit(most=0.35),
    "volatility": Limit(most=0.30),
    "value_at_risk_95": Limit(most=0.03),
    "expected_shortfall_95": Limit(most=0.045),
    "max_leverage": Limit(most=1.5),
    "turnover": Limit(most=30),
    "out_of_sample_sharpe": Limit(least=0),
    "degradation": Limit(most=1.5),
}


class Limits(BaseModel):
    """`limits` replace the default ones, but some number of trades is always asked for.

    `max_slowdown`: CPU time as a multiple of the base's. `other_bars`: how many bars without a
    signal the look-ahead replay takes. The rest is what one child process may use.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    limits: Annotated[dict[str, Limit], Field(min_length=1)] = _DEFAULT
    out_of_sample_ratio: Annotated[float, Field(ge=0.1, le=0.9)] = 0.3
    max_seconds_per_1000_bars: Positive = 1.0
    max_slowdown: Annotated[float, Field(ge=1, le=1000)] = 5.0
    max_lookback: Annotated[int, Field(ge=1, le=3_000)] = 1_000
    other_bars: Annotated[int, Field(ge=20, le=100_000)] = 200
    memory_megabytes: Annotated[int, Field(ge=128, le=65_536)] = 512
    cpu_seconds: Annotated[int, Field(ge=1, le=3_600)] = 60
    answer_seconds: Annotated[float, Field(gt=0, le=600)] = 10.0
    wall_seconds: Annotated[float, Field(gt=0, le=3_600)] = 90.0
    output_bytes: Annotated[int, Field(ge=0, le=100_000_000)] = 65_536

    @field_validator("limits")
    @classmethod
    def _are_known(cls, limits: dict[str, Limit]) -> dict[str, Limit]:
        unknown = sorted(set(limits) - set(FIGURES))
        if unknown:
            raise ValueError(f"there is no figure {unknown[0]!r}; there are {', '.join(FIGURES)}")
        trades = limits.get("trades", _TRADES)
        if trades.least is None or trades.least < 1:
            raise ValueError("trades: at least 1 must be asked, or nothing is proved")
        found = {**limits, "trades": trades}
        return {name: found[name] for name in FIGURES if name in found}

    def bounds(self) -> Bounds:
        """The part that each child process is held to."""
        return Bounds(
            memory_bytes=self.memory_megabytes << 20,
            cpu_seconds=self.cpu_seconds,
            answer_seconds=self.answer_seconds,
            wall_seconds=self.wall_seconds,
            output_bytes=self.output_bytes,
        )


def load(path: Path) -> Limits:
    """Raises `FileUnreadable`, `DuplicateKey`, `InvalidSettings` with every wrong place at once."""
    document = read_yaml(path)
    if not isinstance(document, dict):
        raise InvalidSettings(f"{path} is no mapping of limits", path=path)
    try:
        return Limits.model_validate(document)
    except ValidationError as error:
        problems = [
            f"{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
            for problem in error.errors(include_url=False)
        ]
        raise InvalidSettings(
            f"{path} is refused:\n  " + "\n  ".join(problems), source=path, problems=problems
        ) from error
