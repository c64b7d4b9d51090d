"""Which files a child may read: Landlock, where the kernel has it (Linux 5.13 and newer).

Numbers and bits: <linux/landlock.h>. Handled are all rights of the ABI that is there, granted are
reading files and folders below the paths given; from ABI 4 on TCP is handled and never granted.
"""

from __future__ import annotations

import ctypes
import os
import struct
from collections.abc import Iterable

_CREATE, _ADD, _RESTRICT = 444, 445, 446  # equal on all architectures
_VERSION_FLAG, _PATH_BENEATH = 1, 1
_READ_FILE, _READ_DIR = 1 << 2, 1 << 3
# How many filesystem rights each ABI knows; the last one stands for all newer ones.
_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15, 5: 16}


def abi(libc: ctypes.CDLL) -> int:
    """The version the kernel offers, 0 where there is none."""
    found: int = libc.syscall(_CREATE, None, ctypes.c_size_t(0), ctypes.c_uint32(_VERSION_FLAG))
    return max(found, 0)


def restrict(libc: ctypes.CDLL, readable: Iterable[str]) -> int:
    """Let this process read below `readable` and nothing else; returns the ABI, 0 for none.

    Paths that do not exist are left out. Needs no_new_privs. Raises `OSError` when the kernel has
    Landlock and refuses.
    """
    version = abi(libc)
    if not version:
        return 0
    rights = (1 << _RIGHTS.get(version, 16)) - 1
    attributes = struct.pack("=QQQ", rights, 0b11 if version >= 4 else 0, 0)
    size = 16 if version >= 4 else 8
    ruleset = _checked(
        libc.syscall(_CREATE, attributes, ctypes.c_size_t(size), ctypes.c_uint32(0)), "ruleset"
    )
    for path in readable:
        _grant(libc, ruleset, path)
    _checked(libc.syscall(_RESTRICT, ctypes.c_int(ruleset), ctypes.c_uint32(0)), "restriction")
    os.close(ruleset)
    return version


def _grant(libc: ctypes.CDLL, ruleset: int, path: str) -> None:
    try:
        descriptor = os.open(path, os.O_PATH | os.O_CLOEXEC)
    except FileNotFoundError:
        return
    granted = _READ_FILE | _READ_DIR if os.path.isdir(path) else _READ_FILE  # noqa: PTH112 (starts)
    rule = struct.pack("=Qi", granted, descriptor)
    answer = libc.syscall(
        _ADD, ctypes.c_int(ruleset), ctypes.c_int(_PATH_BENEATH), rule, ctypes.c_uint32(0)
    )
    os.close(descriptor)
    _checked(answer, f"rule for {path}")


def _checked(answer: int, what: str) -> int:
    if answer < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"Landlock refused the {what}: {os.strerror(number)}")
    return answer
