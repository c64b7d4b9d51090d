"""4000–4999. Orders and risk limits."""

from __future__ import annotations

from trading.errors.base import Degrade, TradingError


class OrderError(TradingError):
    """An order cannot go on without a decision."""

    code = 4000
    degrade = Degrade.ASK_PERSON
    http_status = 409


class OrderInvalid(OrderError):
    """The order contradicts itself."""

    code = 4001
    http_status = 422
    exit_code = 2


class OrderNotFound(OrderError):
    """There is no order with this id."""

    code = 4002
    http_status = 404


class OrderConflict(OrderError):
    """This client order id was used before with another content."""

    code = 4004


class SendOutcomeUnknown(OrderError):
    """Nobody knows yet whether the venue has the order: it is asked, the order is not repeated."""

    code = 4006


class RiskRefused(OrderError):
    """The order was refused before sending; every failing limit is listed."""

    code = 4100
    degrade = Degrade.STOP_TRADING
    http_status = 422


class PositionLimit(RiskRefused):
    """The position would become larger than allowed."""

    code = 4101


class OrderQuantityLimit(RiskRefused):
    """The order is larger than allowed."""

    code = 4102


class NotionalLimit(RiskRefused):
    """The order is worth more than allowed."""

    code = 4103


class DailyLossLimit(RiskRefused):
    """Today's loss has reached its limit."""

    code = 4104


class SymbolNotAllowed(RiskRefused):
    """This symbol may not be traded in this environment."""

    code = 4105


class OrderRateLimit(RiskRefused):
    """Too many orders in the last second."""

    code = 4106
    http_status = 429


class PriceUnknown(RiskRefused):
    """There is no price yet to value the order with."""

    code = 4107


class KillSwitchOn(RiskRefused):
    """The kill switch is on; a person re-arms it with a reason."""

    code = 4108
