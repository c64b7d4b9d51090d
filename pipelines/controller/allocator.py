"""glibc's allocator, set for a process that lives for weeks.

It gives each thread an arena of its own and keeps what they once needed; a controller parses thousands
of objects in several threads and needs little afterwards. Source of the numbers: mallopt(3), malloc.h.
"""

from __future__ import annotations

import ctypes

_M_TRIM_THRESHOLD, _M_ARENA_MAX = -1, -8
_KEPT_BYTES = 128 * 1024


def keep_little() -> bool:
    """One arena, and what is free at its end goes back. False where the C library is another one."""
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(_M_ARENA_MAX, 1)) and bool(mallopt(_M_TRIM_THRESHOLD, _KEPT_BYTES))
