"""Every error a person or a caller can meet, each with a code and a rule for what happens next.

    TradingError                     1000
    ├── GeneralError                 1xxx  refuse
    │   ├── InvalidInput, InvalidSettings, SettingMissing, DuplicateKey, FileUnreadable
    │   └── NotFound, MalformedRequest, IdempotencyConflict, RequestTooLarge
    ├── DataError                    2xxx  go on with the data already stored
    │   ├── NoData, TooFewBars, UnknownSymbol, DatasetDamaged, ReplayExhausted
    │   └── BarInvalid, BarOutOfOrder
    ├── StrategyError                3xxx  leave this strategy out, the others go on
    │   ├── StrategyUnknown, StrategyParametersInvalid, StrategyBroken
    │   ├── StrategyFailed, SignalInvalid, LookAhead
    │   └── NoSignals, CostsMissing, RecordDiffers
    ├── OrderError                   4xxx  a person decides
    │   ├── OrderInvalid, OrderNotFound, OrderStateInvalid, OrderConflict
    │   ├── VenueRejected, SendOutcomeUnknown, LedgerDiffers
    │   └── RiskRefused              stop trading
    │       ├── PositionLimit, OrderQuantityLimit, NotionalLimit, DailyLossLimit
    │       └── SymbolNotAllowed, OrderRateLimit, PriceUnknown, KillSwitchOn
    ├── SystemFault                  5xxx  retry, and not ready meanwhile
    │   ├── DatabaseUnavailable, SchemaMissing, VenueUnavailable, SocketUnavailable
    │   ├── LeaseLost, FencingTokenStale, SwitchRefused
    │   └── MigrationFailed, LockTimeout, NotReady
    └── SecurityError                6xxx  refuse and record
        ├── TokenMissing, TokenWrong, TokenFileUnsafe
        └── NotLoopback, PathOutside, CrossSiteRequest

The first line of a docstring is the message where none is given. A machine reads
`NAME: key=value, key=value`; the table with what to do next is docs/errors.md.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from typing import ClassVar


class Degrade(StrEnum):
    """What the application does after an error of a class, without asking anybody."""

    REFUSE = "refuse the request, change nothing"
    CACHED_DATA = "go on with the data already stored"
    SKIP_STRATEGY = "leave this strategy out for this bar, the others go on"
    ASK_PERSON = "leave the order as it is and ask a person"
    STOP_TRADING = "send no more orders of this kind until the cause is gone"
    RETRY = "retry with growing pauses, report not ready meanwhile"
    REFUSE_AND_RECORD = "refuse the request and record the attempt"


class TradingError(Exception):
    """Something went wrong that nobody foresaw."""

    code: ClassVar[int] = 1000
    degrade: ClassVar[Degrade] = Degrade.REFUSE
    http_status: ClassVar[int] = 500
    exit_code: ClassVar[int] = 1  # 1 a check failed · 2 bad input or usage

    def __init__(self, message: str = "", **fields: object) -> None:
        """`message`: what was wrong and what to do next. `fields`: the values, for machines."""
        self.message = message or (type(self).__doc__ or "").partition("\n")[0]
        self.fields = fields
        super().__init__(self.message)

    @property
    def name(self) -> str:
        """The class name in capitals, `NoData` → `NO_DATA`: stable, for machines."""
        return error_name(type(self))

    def machine(self) -> str:
        """`NO_DATA: symbol=ABC, bars=0`"""
        values = ", ".join(f"{key}={value}" for key, value in self.fields.items())
        return f"{self.name}: {values}" if values else self.name

    def as_dict(self) -> dict[str, object]:
        """The JSON form, equal in the API, in command output and in stored events."""
        return {
            "error": self.name,
            "code": self.code,
            "message": self.message,
            "degrade": self.degrade.value,
            "fields": {key: _plain(value) for key, value in self.fields.items()},
        }


def _plain(value: object) -> object:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        return {str(key): _plain(item) for key, item in value.items()}
    return str(value)


def error_name(kind: type[TradingError]) -> str:
    """`NoData` → `NO_DATA`"""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", kind.__name__).upper()


def all_errors() -> Iterator[type[TradingError]]:
    """Every class of the tree, the root first."""
    pending: list[type[TradingError]] = [TradingError]
    while pending:
        kind = pending.pop(0)
        yield kind
        pending.extend(kind.__subclasses__())


# 1xxx general: the request or the configuration is wrong ------------------------------------------


class GeneralError(TradingError):
    """The request or the configuration is wrong."""

    code = 1001
    http_status = 400
    exit_code = 2


class InvalidInput(GeneralError):
    """A value is outside what is allowed."""

    code = 1002
    http_status = 422


class InvalidSettings(GeneralError):
    """values.yaml does not have the expected shape."""

    code = 1003
    http_status = 500


class SettingMissing(GeneralError):
    """An environment variable that this command needs is not set."""

    code = 1004
    http_status = 500


class DuplicateKey(InvalidSettings):
    """A YAML file names the same key twice; one of the two would silently win."""

    code = 1005


class FileUnreadable(GeneralError):
    """A file cannot be read, is not a plain file, or is larger than allowed."""

    code = 1006
    http_status = 500


class NotFound(GeneralError):
    """There is nothing under this name."""

    code = 1007
    http_status = 404
    exit_code = 1


class MalformedRequest(GeneralError):
    """The body is not JSON of the expected shape."""

    code = 1008


class IdempotencyConflict(GeneralError):
    """This idempotency key was used before with another content; use a new key."""

    code = 1009
    http_status = 409


class RequestTooLarge(GeneralError):
    """The body is larger than allowed."""

    code = 1010
    http_status = 413


# 2xxx data ----------------------------------------------------------------------------------------


class DataError(TradingError):
    """Market data is missing or wrong."""

    code = 2000
    degrade = Degrade.CACHED_DATA


class NoData(DataError):
    """There are no bars in the range asked for."""

    code = 2001
    http_status = 404


class TooFewBars(DataError):
    """There are fewer bars than this needs."""

    code = 2002
    http_status = 409


class UnknownSymbol(DataError):
    """No instrument has this symbol."""

    code = 2003
    http_status = 404
    exit_code = 2


class BarInvalid(DataError):
    """A bar contradicts itself: prices must be positive and inside low..high."""

    code = 2004


class BarOutOfOrder(DataError):
    """A bar is not newer than the one before it."""

    code = 2005


class DatasetDamaged(DataError):
    """The packaged sample data does not have the digest it was shipped with; install again."""

    code = 2006


class ReplayExhausted(DataError):
    """The replay has reached the last year a timestamp can hold; reset the replay state."""

    code = 2007


# 3xxx strategies ----------------------------------------------------------------------------------


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


# 4xxx trading -------------------------------------------------------------------------------------


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


class OrderStateInvalid(OrderError):
    """An order in this state cannot do that."""

    code = 4003


class OrderConflict(OrderError):
    """This client order id was used before with another content."""

    code = 4004


class VenueRejected(OrderError):
    """The venue refused the order."""

    code = 4005


class SendOutcomeUnknown(OrderError):
    """Nobody knows yet whether the venue has the order: it is asked, the order is not repeated."""

    code = 4006


class LedgerDiffers(OrderError):
    """The ledger and the venue's book do not agree."""

    code = 4007


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


# 5xxx system --------------------------------------------------------------------------------------


class SystemFault(TradingError):
    """A part that the application needs does not answer."""

    code = 5000
    degrade = Degrade.RETRY
    http_status = 503


class DatabaseUnavailable(SystemFault):
    """The database does not answer."""

    code = 5001


class SchemaMissing(SystemFault):
    """The database lacks a migration this release needs; run `trading migrate up`."""

    code = 5002


class VenueUnavailable(SystemFault):
    """The venue does not answer."""

    code = 5003


class SocketUnavailable(SystemFault):
    """A listening socket was not handed over or cannot be bound."""

    code = 5004
    exit_code = 2


class LeaseLost(SystemFault):
    """This process does not hold the trading lease (any more)."""

    code = 5005


class FencingTokenStale(SystemFault):
    """Somebody with a newer fencing token has taken over."""

    code = 5006
    http_status = 409


class SwitchRefused(SystemFault):
    """The row of the active slot is not what the caller expected."""

    code = 5007
    http_status = 409


class MigrationFailed(SystemFault):
    """A migration did not run to its end."""

    code = 5008


class LockTimeout(SystemFault):
    """A database lock was not granted in time; nothing was changed."""

    code = 5009


class NotReady(SystemFault):
    """This process is not ready to serve this yet."""

    code = 5010


# 6xxx security ------------------------------------------------------------------------------------


class SecurityError(TradingError):
    """Refused for security."""

    code = 6000
    degrade = Degrade.REFUSE_AND_RECORD
    http_status = 403


class TokenMissing(SecurityError):
    """The request carries no bearer token."""

    code = 6001
    http_status = 401


class TokenWrong(SecurityError):
    """The bearer token is not this environment's."""

    code = 6002
    http_status = 401


class TokenFileUnsafe(SecurityError):
    """The token file is missing, empty, not a plain file, or readable by others; chmod 600 it."""

    code = 6003
    exit_code = 2


class NotLoopback(SecurityError):
    """This process listens on the loopback interface only."""

    code = 6004
    exit_code = 2


class PathOutside(SecurityError):
    """A path leads out of the folder it must stay in."""

    code = 6005
    exit_code = 2


class CrossSiteRequest(SecurityError):
    """A form was sent from another site."""

    code = 6006
