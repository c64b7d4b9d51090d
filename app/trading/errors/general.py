"""1000–1999. The request or the configuration is wrong."""

from __future__ import annotations

from trading.errors.base import TradingError


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


class RequestTooLarge(GeneralError):
    """The body is larger than allowed."""

    code = 1010
    http_status = 413


class DatabaseNotEmpty(GeneralError):
    """The database holds what made-up rows must not be mixed with."""

    code = 1011
    http_status = 409
    exit_code = 1
