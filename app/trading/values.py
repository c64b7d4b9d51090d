"""What people decide about an environment: the part `trading` of its values.yaml, typed.

Other parts of the same file belong to others and are not read. Inside `trading` an unknown key,
a duplicate key or a value out of range is refused with its place in the file.
"""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from trading.errors import InvalidSettings
from trading.venues.costs import Costs
from trading.yaml_file import read_yaml

Money = Annotated[Decimal, Field(ge=0, le=Decimal("1e12"))]
Quantity = Annotated[Decimal, Field(gt=0, le=Decimal("1e9"))]
Ratio = Annotated[Decimal, Field(ge=0, le=1)]
Seconds = Annotated[float, Field(ge=0, le=3600, allow_inf_nan=False)]
Symbol = Annotated[str, Field(pattern=r"^[A-Z][A-Z0-9_.]{0,11}$")]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9-]{0,23}$")]

SAMPLE_SYMBOLS: tuple[Symbol, ...] = ("AAPL", "FB", "GOOG", "IBM", "MSFT")


RETENTION_MOST = 20_000


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ReplayValues(_Part):
    """The market data: the packaged daily bars, one trading day every `seconds_per_day`."""

    seconds_per_day: Annotated[float, Field(ge=0.01, le=86_400, allow_inf_nan=False)] = 1.0
    symbols: tuple[Symbol, ...] = SAMPLE_SYMBOLS
    retention_days: Annotated[int, Field(ge=90, le=RETENTION_MOST)] = 800  # of replayed time


class StrategyValues(_Part):
    """One running instance of a plug-in; `capital` is fixed, profits are not reinvested."""

    plugin: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
    enabled: bool = True
    capital: Annotated[Decimal, Field(gt=0, le=Decimal("1e12"))]
    symbols: Annotated[tuple[Symbol, ...], Field(min_length=1)] = SAMPLE_SYMBOLS
    parameters: dict[str, object] = Field(default_factory=dict)  # checked by the plug-in


class CostValues(_Part):
    """What a fill costs, in the paper venue and in a backtest alike."""

    fee_ratio: Ratio = Decimal("0.0002")  # of the notional
    fee_per_share: Money = Decimal("0.005")
    minimum_fee: Money = Decimal("1")
    slippage_ratio: Ratio = Decimal("0.0005")  # market and stop orders, against the trader
    volume_cap_ratio: Annotated[Decimal, Field(gt=0, le=1)] = Decimal("0.1")  # of a bar's volume

    def schedule(self) -> Costs:
        """The same figures as the plain object that matching takes."""
        return Costs(**self.model_dump())


class RiskValues(_Part):
    """Limits before every order; a day is a replayed trading day."""

    allowed_symbols: tuple[Symbol, ...] = SAMPLE_SYMBOLS
    max_order_quantity: Quantity = Decimal(5_000)
    max_order_notional: Money = Decimal(100_000)
    max_position_quantity: Quantity = Decimal(20_000)
    max_position_notional: Money = Decimal(250_000)
    max_daily_loss: Money = Decimal(50_000)
    max_orders_per_second: Annotated[int, Field(ge=1, le=10_000)] = 50

    @model_validator(mode="after")
    def _an_order_fits_a_position(self) -> RiskValues:
        if self.max_order_quantity > self.max_position_quantity:
            raise ValueError(
                f"max_order_quantity {self.max_order_quantity} is above max_position_quantity "
                f"{self.max_position_quantity}; lower the first or raise the second"
            )
        if self.max_order_notional > self.max_position_notional:
            raise ValueError(
                f"max_order_notional {self.max_order_notional} is above max_position_notional "
                f"{self.max_position_notional}; lower the first or raise the second"
            )
        return self


class VenueValues(_Part):
    """How the paper venue behaves from its start; `PUT /v1/faults` changes it while it runs."""

    latency_seconds: Seconds = 0.0
    reject_ratio: Ratio = Decimal(0)
    partial_ratio: Ratio = Decimal(0)
    drop_after_accept_ratio: Ratio = Decimal(0)
    error_after_accept_ratio: Ratio = Decimal(0)
    seed: int = 1


class AccountValues(_Part):
    """The paper account."""

    starting_cash: Money = Decimal(500_000)


class Values(_Part):
    """The part `trading` of values.yaml."""

    replay: ReplayValues = ReplayValues()
    strategies: dict[Name, StrategyValues] = Field(default_factory=dict)
    costs: CostValues = CostValues()
    risk: RiskValues = RiskValues()
    venue: VenueValues = VenueValues()
    account: AccountValues = AccountValues()

    @model_validator(mode="after")
    def _strategies_trade_what_exists(self) -> Values:
        for name, strategy in self.strategies.items():
            unknown = sorted(set(strategy.symbols) - set(self.replay.symbols))
            if unknown:
                raise ValueError(f"strategy {name} trades {unknown}, replay.symbols has no such")
            refused = sorted(set(strategy.symbols) - set(self.risk.allowed_symbols))
            if refused:
                raise ValueError(
                    f"strategy {name} trades {refused}, which risk.allowed_symbols does not allow"
                )
        return self


def load(path: Path) -> Values:
    """The typed part `trading` of a merged values.yaml.

    Raises `FileUnreadable`, `DuplicateKey`, `InvalidSettings` with every wrong place at once.
    """
    document = read_yaml(path)
    if not isinstance(document, dict) or not isinstance(document.get("trading"), dict):
        raise InvalidSettings(f"{path} has no part `trading:` with settings", path=path)
    return parse(document["trading"], str(path))


def parse(part: dict[str, object], source: str) -> Values:
    """Check a part `trading`; `source` names it in messages."""
    try:
        return Values.model_validate(part)
    except ValidationError as error:
        problems = [
            f"trading.{'.'.join(map(str, problem['loc']))}: {problem['msg']}"
            for problem in error.errors(include_url=False)
        ]
        raise InvalidSettings(
            f"{source} is refused:\n  " + "\n  ".join(problems), source=source, problems=problems
        ) from error


def merged(base: dict[str, object], over: dict[str, object]) -> dict[str, object]:
    """`over` laid over `base`: mappings are merged key by key, everything else is replaced."""
    result = dict(base)
    for key, value in over.items():
        below = result.get(key)
        both = isinstance(below, dict) and isinstance(value, dict)
        result[key] = merged(below, value) if both else value  # type: ignore[arg-type]
    return result
