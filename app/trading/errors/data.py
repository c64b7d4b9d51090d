"""2000–2999. Market data."""

from __future__ import annotations

from trading.errors.base import Degrade, TradingError


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
