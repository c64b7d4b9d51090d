"""3000–3999. Strategies, backtests and records."""

from __future__ import annotations

from trading.errors.base import Degrade, TradingError


class StrategyError(TradingError):
    """A strategy cannot be used."""

    code = 3000
    degrade = Degrade.SKIP_STRATEGY


class StrategyUnknown(StrategyError):
    """There is no strategy with this name."""

    code = 3001
    http_status = 404
    exit_code = 2


class StrategyParametersInvalid(StrategyError):
    """The strategy refuses these parameters."""

    code = 3002
    http_status = 422
    exit_code = 2


class StrategyBroken(StrategyError):
    """The strategy's package cannot be imported or does not offer what a strategy must."""

    code = 3003


class StrategyFailed(StrategyError):
    """The strategy raised an exception on a bar."""

    code = 3004


class SignalInvalid(StrategyError):
    """The strategy returned a signal for another strategy, symbol or bar, or not a number."""

    code = 3005


class LookAhead(StrategyError):
    """The strategy asked for more bars than it declared, or for bars that have not happened."""

    code = 3006


class NoSignals(StrategyError):
    """The backtest ran without a single signal; that proves nothing."""

    code = 3007


class CostsMissing(StrategyError):
    """The backtest has neither fees nor slippage; such a result says nothing about trading."""

    code = 3008
    http_status = 422
    exit_code = 2


class RecordDiffers(StrategyError):
    """The signals recorded live are not those of the backtest over the same bars."""

    code = 3009
