"""Watching the strategy while it runs: its builtins, its imports, and Python's audit events.

Whoever does what is forbidden is reported and ended at once, so that no `except` can hide it. This
is the second line: the walls of `confine` hold where somebody gets around it.
"""

from __future__ import annotations

import builtins
import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, NoReturn

from .allowed import BUILTINS_REFUSED, member_problem, module_allowed

Report = Callable[[str], NoReturn]

# Audit events (docs.python.org, "Audit events table") by their beginning: never, in any phase.
_NEVER = (
    "ctypes.", "fcntl.", "ftplib.", "gc.", "glob.", "http.", "imaplib.", "mmap.", "msvcrt.",
    "nntplib.", "os.chdir", "os.chmod", "os.chown", "os.exec", "os.fork", "os.getxattr",
    "os.kill", "os.link", "os.lockf", "os.mkdir", "os.posix_spawn", "os.putenv", "os.remove",
    "os.rename", "os.rmdir", "os.setxattr", "os.spawn", "os.startfile", "os.symlink", "os.system",
    "os.truncate", "os.unsetenv", "os.utime", "pathlib.", "pickle.", "poplib.", "pty.",
    "resource.", "shutil.", "signal.", "smtplib.", "socket.", "sqlite3.", "subprocess.", "sys.add",
    "sys.monitoring", "sys.setprofile", "sys.settrace", "sys.unraisablehook", "syslog.",
    "telnetlib.", "tempfile.", "urllib.", "webbrowser.", "_thread.start", "_posixsubprocess.",
)  # fmt: skip
# Never while it runs; while it is loaded, dataclasses and pydantic need them.
_NOT_WHILE_RUNNING = (
    "compile", "exec", "import", "open", "os.listdir", "os.scandir", "marshal.", "code.",
    "function.__new__", "sys._getframe", "sys._current_frames",
)  # fmt: skip
# Never by the strategy's own lines, in any phase.
_NOT_BY_ITSELF = (*_NOT_WHILE_RUNNING, "object.__getattr__", "builtins.id")
_CODE = (".py", ".pyc", ".so")


class Guard:
    """One for a process. `phase` is `starting` (trusted code), `loading` or `running`."""

    def __init__(self, plugin: str, folder: str, report: Report) -> None:
        """`folder`: where the strategy's files lie. `report` must end the process."""
        self.phase = "starting"
        self.plugin = plugin
        self._folder = folder
        self._report = report
        self._busy = False
        sys.addaudithook(self._audit)

    def builtins(self) -> dict[str, Any]:
        """What a strategy's modules get as `__builtins__`."""
        offered = {n: getattr(builtins, n) for n in dir(builtins) if n not in BUILTINS_REFUSED}
        for name in BUILTINS_REFUSED:
            if hasattr(builtins, name):
                offered[name] = self._refused(name)
        for function in (getattr, hasattr, setattr):
            offered[function.__name__] = self._by_name(function)
        return {**offered, "__import__": self._import}

    def _refused(self, name: str) -> Callable[..., NoReturn]:
        def refused(*_: object, **__: object) -> NoReturn:
            self._report(f"{name}()")

        return refused

    def _by_name(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """getattr and its kin: no private names, which is where every way out begins."""

        def checked(target: object, name: str, *rest: object) -> Any:
            if name.startswith("_"):
                self._report(f"{function.__name__}(…, {name!r})")
            return function(target, name, *rest)

        return checked

    def _import(
        self,
        name: str,
        globals: dict[str, Any] | None = None,
        locals: dict[str, Any] | None = None,
        fromlist: tuple[str, ...] | None = (),
        level: int = 0,
    ) -> ModuleType:
        asked = name
        if level:  # `from .parts import x`, inside the strategy's own package
            package = str((globals or {}).get("__package__", ""))
            asked = ".".join(filter(None, [*package.split(".")[: 1 - level or None], name]))
        for module in self._modules(asked, fromlist or ()):
            if not module_allowed(module, self.plugin):
                self._report(f"import of {module}")
        found: ModuleType = builtins.__import__(name, globals, locals, fromlist or (), level)
        for member in fromlist or ():
            self._check_member(asked, member, found)
        return found

    def _modules(self, asked: str, fromlist: tuple[str, ...]) -> list[str]:
        """`from trading.strategies import base` names the module by its member."""
        if module_allowed(asked, self.plugin) or not fromlist:
            return [asked]
        return [f"{asked}.{member}" for member in fromlist]

    def _check_member(self, module: str, member: str, found: ModuleType) -> None:
        value = getattr(found, member, None)
        if isinstance(value, ModuleType):
            if not module_allowed(value.__name__, self.plugin):
                self._report(f"import of {value.__name__} out of {module}")
        elif not module.startswith("trading.strategies.") and (
            problem := member_problem(module, member)
        ):
            self._report(problem)

    def _audit(self, event: str, arguments: tuple[Any, ...]) -> None:
        if self.phase == "starting" or self._busy:
            return
        self._busy = True  # looking at frames raises events itself
        try:
            if self._forbidden(event, arguments):
                self._report(_worded(event, arguments))
        finally:
            self._busy = False

    def _forbidden(self, event: str, arguments: tuple[Any, ...]) -> bool:
        if event.startswith(_NEVER):
            return True
        if event == "open" and not _reads_code(arguments):
            return True
        if self.phase == "running" and event.startswith(_NOT_WHILE_RUNNING):
            return True
        # Frame 0 is this function, 1 the hook; 2 is whoever raised the event.
        return (
            event.startswith(_NOT_BY_ITSELF)
            and event != "import"  # its imports come through `_import`
            and sys._getframe(2).f_code.co_filename.startswith(self._folder)
        )


def _reads_code(arguments: tuple[Any, ...]) -> bool:
    path, mode = arguments[0], arguments[1]
    reading = mode is None or set(str(mode)) <= set("rb")
    return reading and isinstance(path, str | bytes) and str(path).rstrip("'").endswith(_CODE)


def _worded(event: str, arguments: tuple[Any, ...]) -> str:
    if event in {"open", "import", "os.listdir", "os.scandir"} and arguments:
        return f"{event} of {arguments[0]}"
    return f"reading .{arguments[1]}" if event == "object.__getattr__" else event
