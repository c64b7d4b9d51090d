"""6000–6999. Tokens, addresses, paths."""

from __future__ import annotations

from trading.errors.base import Degrade, TradingError


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


class CrossSiteRequest(SecurityError):
    """A form was sent from another site."""

    code = 6006
