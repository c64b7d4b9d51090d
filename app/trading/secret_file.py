"""Reading a file that holds a secret: a token, or the address of a database with its password."""

from __future__ import annotations

import os
import stat
from pathlib import Path

from trading.errors import TokenFileUnsafe

_BYTES_LIMIT = 4096


def read_secret(path: Path, what: str) -> bytes:
    """What is in `path`; `what` names it in messages (`token file`). Raises `TokenFileUnsafe`.

    It must be a plain file that only its owner can read. Where root gave it to a process that is
    not root, as a cluster mounts its secrets, root's symbolic links are followed and the group may
    read as well: the kubelet links to the newest version and opens it to the pod's own group.
    """
    # Not wait for the writer of a pipe; follow a symbolic link only where root made it.
    flags = os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK
    try:
        given = _is_of_root(path.lstat())
        with os.fdopen(os.open(path, flags if given else flags | os.O_NOFOLLOW), "rb") as file:
            status = os.fstat(file.fileno())
            content = file.read(_BYTES_LIMIT + 1)
    except OSError as error:
        raise TokenFileUnsafe(
            f"{what} {path} cannot be read: {error.strerror}", path=path
        ) from error
    if not stat.S_ISREG(status.st_mode):
        raise TokenFileUnsafe(f"{what} {path} is not a plain file", path=path)
    if status.st_mode & (0o037 if given and _is_of_root(status) else 0o077):
        mode = f"{status.st_mode & 0o777:04o}"
        remedy = "mount it with defaultMode 0400 and an fsGroup" if given else f"chmod 600 {path}"
        raise TokenFileUnsafe(
            f"{what} {path} has mode {mode}; {'' if given else 'run: '}{remedy}",
            path=path,
            mode=mode,
        )
    if len(content) > _BYTES_LIMIT:
        raise TokenFileUnsafe(f"{what} {path} has more than {_BYTES_LIMIT} bytes", path=path)
    return content


def _is_of_root(status: os.stat_result) -> bool:
    return status.st_uid == 0 and os.geteuid() != 0
