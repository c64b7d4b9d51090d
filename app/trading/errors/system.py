"""5000–5999. Parts that do not answer, leases, migrations."""

from __future__ import annotations

from trading.errors.base import Degrade, TradingError


class SystemFault(TradingError):
    """A part that the application needs does not answer."""

    code = 5000
    degrade = Degrade.RETRY
    http_status = 503


class DatabaseUnavailable(SystemFault):
    """The database does not answer."""

    code = 5001


class SchemaMissing(SystemFault):
    """The database is not as this release needs it; the message names the migration or column."""

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


class SandboxUnavailable(SystemFault):
    """The walls around a strategy under examination cannot be put up; nothing was examined."""

    code = 5011
