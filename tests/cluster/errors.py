"""What ends a command of the test cluster, with an exit code and the next thing to type."""

from __future__ import annotations


class ClusterError(Exception):
    """`message`: what was wrong, with the value; `hint`: what to do. Exit code 1."""

    code = 1

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message, self.hint = message, hint


class Missing(ClusterError):
    """Something this machine does not have, or an argument that cannot be. Exit code 2."""

    code = 2


class NotReady(ClusterError):
    """A part that was started did not answer in time; its log is named. Exit code 1."""
