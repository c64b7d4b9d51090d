"""The walls around a child, put up before a line of the subject's code is read.

Needed: limits of resources, no_new_privs, the system-call filter. Wanted: Landlock, a user and
network namespace of its own; where the kernel has none, the filter alone keeps sockets away.
"""

from __future__ import annotations

import ctypes
import os
import resource
from collections.abc import Iterable
from dataclasses import asdict, dataclass

from . import landlock, seccomp

_PR_SET_PDEATHSIG, _PR_SET_DUMPABLE, _PR_SET_NO_NEW_PRIVS = 1, 4, 38
_SIGKILL = 9
_CLONE_NEWUSER, _CLONE_NEWNET = 0x10000000, 0x40000000


@dataclass(frozen=True, slots=True)
class Limits:
    """`memory_bytes` of address space; `cpu_seconds` of this process."""

    memory_bytes: int
    cpu_seconds: int


class Walls:
    """Put up in two steps: `__init__` before anything is imported, `close` before the first bar."""

    def __init__(self, limits: Limits, readable: Iterable[str]) -> None:
        """Raises `OSError` when a wall that is needed cannot be put up."""
        self._libc = ctypes.CDLL(None, use_errno=True)
        self._prctl(_PR_SET_PDEATHSIG, _SIGKILL)
        self._prctl(_PR_SET_DUMPABLE, 0)
        self.namespaces = self._unshare()
        _limit(limits)
        self._prctl(_PR_SET_NO_NEW_PRIVS, 1)
        self.landlock = landlock.restrict(self._libc, readable)
        seccomp.install(self._libc, loading=True)

    def close(self) -> None:
        """From here on no file can be opened at all."""
        seccomp.install(self._libc, loading=False)

    def described(self, limits: Limits) -> dict[str, object]:
        return {
            "seccomp": True,
            "landlock_abi": self.landlock,
            "namespaces": self.namespaces,
            **asdict(limits),
        }

    def _unshare(self) -> str:
        """A user namespace without mapped ids also takes root's capabilities away."""
        if self._libc.unshare(_CLONE_NEWUSER | _CLONE_NEWNET) == 0:
            return "user, network"
        return "network" if self._libc.unshare(_CLONE_NEWNET) == 0 else "none"

    def _prctl(self, option: int, value: int) -> None:
        if self._libc.prctl(option, value, 0, 0, 0):
            number = ctypes.get_errno()
            raise OSError(number, f"prctl {option} was refused: {os.strerror(number)}")


def _limit(limits: Limits) -> None:
    for kind, value in (
        (resource.RLIMIT_AS, limits.memory_bytes),
        (resource.RLIMIT_CPU, limits.cpu_seconds),
        (resource.RLIMIT_FSIZE, 0),
        (resource.RLIMIT_NOFILE, 64),
        (resource.RLIMIT_CORE, 0),
    ):
        resource.setrlimit(kind, (value, value))
