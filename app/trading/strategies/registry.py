"""Finding and making strategies by name.

A plug-in is a package folder in `trading/strategies/`, or an entry point of the group
`trading.strategies` in any installed distribution, that offers `STRATEGY`: a class with
`Parameters` (a pydantic model) and the fields `name, parameters, symbols, capital`.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Mapping, Sequence
from decimal import Decimal
from difflib import get_close_matches
from importlib import import_module
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from trading.errors import StrategyBroken, StrategyParametersInvalid, StrategyUnknown
from trading.strategies.base import Strategy

if TYPE_CHECKING:
    from trading.values import Values

_GROUP = "trading.strategies"
_DEFAULT_SYMBOLS = ("AAPL", "FB", "GOOG", "IBM", "MSFT")
_DEFAULT_CAPITAL = Decimal(100_000)


def available() -> list[str]:
    """Names of all plug-ins, sorted."""
    folders = {m.name for m in pkgutil.iter_modules([str(Path(__file__).parent)]) if m.ispkg}
    return sorted(folders | set(_installed()))


def load(
    plugin: str,
    parameters: Mapping[str, object] | None = None,
    *,
    name: str = "",
    symbols: Sequence[str] = _DEFAULT_SYMBOLS,
    capital: Decimal = _DEFAULT_CAPITAL,
) -> Strategy:
    """A strategy named `name` (its plug-in's name with dashes by default).

    Raises `StrategyUnknown`, `StrategyBroken`, `StrategyParametersInvalid`.
    """
    kind = _kind(plugin)
    try:
        checked = kind.Parameters.model_validate(dict(parameters or {}))
    except ValidationError as error:
        problems = [
            f"{'.'.join(map(str, problem['loc'])) or 'parameters'}: {problem['msg']}"
            for problem in error.errors(include_url=False)
        ]
        raise StrategyParametersInvalid(
            f"{plugin} refuses its parameters: {'; '.join(problems)}; "
            f"it takes {', '.join(kind.Parameters.model_fields)}",
            plugin=plugin,
            problems=problems,
        ) from error
    strategy = kind(
        name=name or plugin.replace("_", "-"),
        parameters=checked,
        symbols=tuple(symbols),
        capital=capital,
    )
    if not isinstance(strategy, Strategy):
        raise StrategyBroken(f"{plugin}.STRATEGY is not a strategy", plugin=plugin)
    return strategy


def load_all(values: Values) -> list[Strategy]:
    """Every enabled strategy of values.yaml, sorted by name; raises like `load`."""
    return [
        load(
            chosen.plugin,
            chosen.parameters,
            name=name,
            symbols=chosen.symbols,
            capital=chosen.capital,
        )
        for name, chosen in sorted(values.strategies.items())
        if chosen.enabled
    ]


def _kind(plugin: str) -> Any:
    names = available()
    if plugin not in names:
        near = get_close_matches(plugin, names, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(names)}"
        raise StrategyUnknown(f"there is no strategy {plugin!r}; {hint}", plugin=plugin)
    installed = _installed().get(plugin)
    try:
        module = installed.load() if installed else import_module(f"{_GROUP}.{plugin}")
        kind = module.STRATEGY
        kind.Parameters.model_validate  # noqa: B018 (asks whether it is there)
    except Exception as error:  # whatever a plug-in's import may raise
        raise StrategyBroken(
            f"strategy {plugin!r} cannot be loaded: {type(error).__name__}: {error}", plugin=plugin
        ) from error
    return kind


def _installed() -> dict[str, EntryPoint]:
    return {point.name: point for point in entry_points(group=_GROUP)}
