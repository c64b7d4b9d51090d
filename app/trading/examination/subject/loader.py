"""Loading the strategy's modules with guarded builtins, again and again from nothing."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from importlib.util import spec_from_loader
from pathlib import Path
from types import CodeType, ModuleType

from .guard import Guard


class GuardedFinder(MetaPathFinder):
    """Finds the strategy's own modules before anybody else does, each from one reading."""

    def __init__(self, guard: Guard, strategies: Path) -> None:
        """`strategies`: the subject's folder trading/strategies."""
        self._guard = guard
        self._name = f"trading.strategies.{guard.plugin}"
        self._sources = _sources(strategies / guard.plugin, self._name)
        self._code: dict[str, CodeType] = {}

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in self._sources:
            return None
        file, _ = self._sources[fullname]
        loader = _GuardedLoader(self._guard, *self._sources[fullname], self._code)
        spec = spec_from_loader(fullname, loader, is_package=file.name == "__init__.py")
        if spec is not None:
            spec.origin, spec.has_location = str(file), True
        return spec

    def forget(self) -> None:
        """Make the next import run the strategy's modules anew: no memory of theirs survives."""
        for name in [n for n in sys.modules if n == self._name or n.startswith(f"{self._name}.")]:
            del sys.modules[name]
        parent = sys.modules.get("trading.strategies")
        if parent is not None and hasattr(parent, self._guard.plugin):
            delattr(parent, self._guard.plugin)


class _GuardedLoader(Loader):
    def __init__(
        self, guard: Guard, file: Path, source: bytes, compiled: dict[str, CodeType]
    ) -> None:
        self._guard = guard
        self._file = file
        self._source = source
        self._compiled = compiled

    def exec_module(self, module: ModuleType) -> None:
        name = module.__name__
        if name not in self._compiled:
            self._compiled[name] = compile(self._source, self._file, "exec", dont_inherit=True)
        module.__dict__["__builtins__"] = self._guard.builtins()
        # nosec B102 - the strategy itself, in a process of its own and behind the guard
        exec(self._compiled[name], module.__dict__)


def _sources(folder: Path, package: str) -> dict[str, tuple[Path, bytes]]:
    """Every module of the strategy by its name."""
    found = {}
    for file in sorted(folder.rglob("*.py")):
        parts = file.relative_to(folder).with_suffix("").parts
        name = ".".join((package, *parts)).removesuffix(".__init__")
        found[name] = (file, file.read_bytes())
    return found
