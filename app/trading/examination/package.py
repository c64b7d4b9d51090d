"""Copies of the subject's package for its child processes.

`full`   as in a real backtest: the packaged prices lie where they always do
`bare`   the same without any price: what the replays run on, where no later day may be reachable

Neither has compiled files (they could differ from the source that people read) nor an examination
of its own: the child's side is the judge's.
"""

from __future__ import annotations

import shutil
import sys
import sysconfig
from collections.abc import Callable, Iterable
from pathlib import Path

from trading.errors import FileUnreadable

OWN = Path(__file__).parents[2]
"""The folder that holds the judge's own package `trading`."""
CHILD_PACKAGE = "trading_subject"
_LEFT_OUT = ("__pycache__", "*.pyc", "*.so", "examination", "static", "templates")
_PRICES = ("*.gz", "*.csv", "*.parquet", "*.json")


class Copies:
    """Two copies below `folder`; made at once, removed with the folder by whoever made that."""

    def __init__(self, subject: Path, folder: Path) -> None:
        """`subject` holds the package `trading`. Raises `FileUnreadable`."""
        package = subject / "trading"
        if not (package / "strategies").is_dir():
            raise FileUnreadable(
                f"{subject} holds no package trading with strategies; --subject takes the folder "
                "above it, such as app",
                path=subject,
            )
        self.strategies = package / "strategies"
        self.full = _copy(package, folder / "full", ())
        self.bare = _copy(package, folder / "bare", _PRICES)

    def folder_of(self, plugin: str) -> Path:
        """The strategy's own files, as they lie in the subject."""
        return self.strategies / plugin


def sites() -> list[str]:
    """Where the judge's libraries lie; the child gets them without `.pth` files."""
    return sorted({sysconfig.get_path("purelib"), sysconfig.get_path("platlib")})


def readable(copy: Path) -> list[str]:
    """What a child may read: Python, libraries, its copy; never an installed `trading`."""
    paths: Iterable[Path] = (
        entry
        for site in sites()
        if Path(site).is_dir()
        for entry in Path(site).iterdir()
        if not entry.name.lower().startswith("trading")
    )
    python = {sysconfig.get_path("stdlib"), sysconfig.get_path("platstdlib")}
    own = {str(Path(sys.executable).resolve()), f"{sys.base_prefix}/lib"}
    system = {"/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache", "/dev/urandom"}
    return [str(copy), *sorted(python | own | system), *sorted(map(str, paths))]


def _copy(package: Path, target: Path, left_out: Iterable[str]) -> Path:
    try:
        shutil.copytree(package, target / "trading", ignore=_ignoring(left_out), symlinks=True)
        shutil.copytree(Path(__file__).parent / "subject", target / CHILD_PACKAGE,
                        ignore=_ignoring(()))  # fmt: skip
    except (OSError, shutil.Error) as error:
        raise FileUnreadable(f"{package} cannot be copied: {error}", path=package) from error
    return target


def _ignoring(more: Iterable[str]) -> Callable[[str, list[str]], set[str]]:
    return shutil.ignore_patterns(*_LEFT_OUT, *more)
