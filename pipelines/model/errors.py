"""Every error the delivery engine raises on purpose.

SlipwayError                exit code
├── BadInput                2   a file, name or option is wrong
├── Refused                 1   a rule says no: hold, freeze, missing migration, failed check
│   └── StaleToken          1   a newer operation has taken the environment over
├── InProgress              3   somebody else holds the environment's lock
├── Undone                  4   it failed and was safely undone
└── NeedsPerson             5   the machine cannot decide or repair this
    └── Unavailable         5   database, origin, supervisor or disk does not answer (retryable)
"""

from __future__ import annotations


class SlipwayError(Exception):
    """Base: `message` says what was wrong and the value, `hint` the next thing to do."""

    exit_code = 5

    def __init__(self, message: str, *, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message}\n  {self.hint}" if self.hint else self.message


class BadInput(SlipwayError):
    """A file, name or option is wrong; nothing was changed."""

    exit_code = 2


class Refused(SlipwayError):
    """A rule says no; nothing was changed."""

    exit_code = 1


class StaleToken(Refused):
    """A newer operation has taken the environment over; this one must stop."""


class InProgress(SlipwayError):
    """Somebody else is changing the environment."""

    exit_code = 3


class Undone(SlipwayError):
    """The operation failed and the environment is back where it was."""

    exit_code = 4


class NeedsPerson(SlipwayError):
    """The engine stopped in a safe state and cannot go on alone."""

    exit_code = 5


class Unavailable(NeedsPerson):
    """Something needed does not answer. Retryable."""
