"""Which processes belong to an installation, by what they were started with."""

from __future__ import annotations

import contextlib
import signal
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import psutil

ROLES = ("postgres", "supervisor", "controller", "api", "trader", "venue")


@dataclass(frozen=True, slots=True)
class Running:
    """`role` is one of ROLES or `other`; `slot` and `environment` are empty when they do not apply."""

    pid: int
    role: str
    environment: str
    slot: str
    rss_bytes: int

    def kill(self, number: int = signal.SIGKILL) -> None:
        with contextlib.suppress(psutil.NoSuchProcess):
            psutil.Process(self.pid).send_signal(number)

    def alive(self) -> bool:
        try:
            return bool(psutil.Process(self.pid).status() != psutil.STATUS_ZOMBIE)
        except psutil.NoSuchProcess:
            return False


def _role(words: list[str]) -> str:
    line = " ".join(words)
    for role in ("api", "trader", "venue"):
        if f"serve {role}" in line:
            return role
    if words and Path(words[0]).name == "postgres" and "-D" in words:
        return "postgres"
    if "controller" in words:
        return "controller"
    if "supervisor" in line or "circus" in line:
        return "supervisor"
    return "other"


def _environment(words: list[str], variables: dict[str, str]) -> str:
    text = " ".join(words)
    named = variables.get("SLIPWAY_ENVIRONMENT", "")
    for name in ("dev", "staging", "production"):
        if name in words or f"/environments/{name}/" in text or f"/{name}/" in text:
            return name
    return named


def _belongs(words: list[str], variables: dict[str, str], marks: Iterable[str]) -> bool:
    text = "\0".join(
        [*words, *(f"{k}={v}" for k, v in variables.items() if k.startswith("SLIPWAY"))]
    )
    return any(mark in text for mark in marks)


def of(state: Path, runtime: Path | None = None) -> list[Running]:
    """Every living process started for this installation, from outside knowledge only."""
    marks = [f"{state}/", *([f"{runtime}/"] if runtime else [])]
    found = []
    for process in psutil.process_iter():
        try:
            words = process.cmdline()
            variables = process.environ()
            if not _belongs(words, variables, marks) or process.status() == psutil.STATUS_ZOMBIE:
                continue
            if words and words[0].startswith("postgres:"):
                continue
            found.append(
                Running(
                    process.pid,
                    _role(words),
                    _environment(words, variables),
                    variables.get("SLIPWAY_SLOT", ""),
                    process.memory_info().rss,
                )
            )
        except (psutil.NoSuchProcess, psutil.AccessDenied, psutil.ZombieProcess):
            continue
    return found


def pss_bytes(state: Path, runtime: Path | None = None) -> int:
    """Proportional set size of everything, PostgreSQL's children included."""
    total = 0
    for running in of(state, runtime):
        try:
            parent = psutil.Process(running.pid)
            family = [parent, *(parent.children() if running.role == "postgres" else [])]
            total += sum(member.memory_full_info().pss for member in family)
        except psutil.NoSuchProcess:
            continue
    return total


def cpu_seconds(state: Path, runtime: Path | None = None) -> dict[int, float]:
    """CPU time used so far per process id, PostgreSQL's children included."""
    used: dict[int, float] = {}
    for running in of(state, runtime):
        with contextlib.suppress(psutil.NoSuchProcess):
            parent = psutil.Process(running.pid)
            family = [parent, *(parent.children() if running.role == "postgres" else [])]
            for member in family:
                times = member.cpu_times()
                used[member.pid] = times.user + times.system
    return used


def end_all(state: Path, runtime: Path | None = None) -> list[Running]:
    """SIGKILL what is left of an installation, by id, until nothing is. Returns what was found."""
    first = of(state, runtime)
    left = first
    deadline = time.monotonic() + 10
    while left and time.monotonic() < deadline:
        for running in sorted(left, key=lambda r: r.role not in ("controller", "supervisor")):
            running.kill()
        time.sleep(0.2)
        left = of(state, runtime)
    return first
