"""Moving a branch with its expected old value, also when a killed git left its lock behind."""

from __future__ import annotations

import time
from pathlib import Path

from pipelines.adapters.git_command import TIME_LIMIT_SECONDS, Git, GitFailed
from pipelines.model.errors import InProgress

_NOTHING = "0" * 40
_MOVED = ("but expected", "reference already exists", "unable to resolve reference")
_LOCKED = "File exists"


def update_ref(git: Git, ref: str, commit: str, expect: str | None, *, force: bool = False) -> None:
    """Point `ref` at `commit`. Raises InProgress when it is not at `expect` (None: must not exist;
    `force`: wherever it is), GitFailed for anything else."""
    old = [] if force else [expect or _NOTHING]
    argv = ("update-ref", "--no-deref", "-m", "slipway", ref, commit, *old)
    try:
        git.run(*argv)
    except GitFailed as error:
        broken = "reference broken" in error.message
        if broken and force:
            (git.folder / ref).unlink(missing_ok=True)  # emptied by power loss: nothing to lose
        if (broken and force) or (
            _LOCKED in error.message and _remove_left_over(git.folder / f"{ref}.lock")
        ):
            git.run(*argv)
            return
        if not broken and any(words in error.message for words in _MOVED):
            raise InProgress(
                f"{ref} moved meanwhile: {error.message}",
                hint="somebody else was quicker: look at `slipway history`, then run it again",
            ) from error
        raise


def _remove_left_over(lock: Path) -> bool:
    """A lock older than any git command may run belongs to a killed one."""
    try:
        if time.time() - lock.stat().st_mtime < 2 * TIME_LIMIT_SECONDS:
            return False
        lock.unlink()
    except OSError:
        return False
    return True
