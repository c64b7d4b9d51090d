"""The walls hold without the guard, and where they cannot stand nothing is examined."""

import subprocess
import sys
from pathlib import Path

import pytest
from subjects import examined, package

from trading.errors import SandboxUnavailable
from trading.examination import package as packages
from trading.examination.subject.seccomp import program
from trading.examination.subject.syscalls import ARCHITECTURES

ATTEMPTS = {
    "a socket": "import socket; socket.socket()",
    "a fork": "os.fork()",
    "another program": "os.execv('/bin/true', ['true'])",
    "a signal to the judge": "os.kill(os.getppid(), 0)",
    "a deleted file": "os.unlink(victim)",
    "a renamed file": "os.rename(victim, victim + 'x')",
    "a written file": "open(victim, 'w')",
    "a new file": "os.open(victim + '2', os.O_CREAT | os.O_WRONLY)",
    "a foreign file": "open('/etc/passwd')",
    "tracing": "ctypes.set_errno(0); l = ctypes.CDLL(None, use_errno=True)\n"
    "if l.ptrace(0, 0, 0, 0) < 0: raise OSError(ctypes.get_errno(), 'ptrace')",
    "more memory": "resource.setrlimit(resource.RLIMIT_CPU, (1, 1))",
    "a file after the walls are closed": "walls.close(); open(__import__('json').__file__)",
}
SCRIPT = """
import ctypes, os, resource, sys
sys.path.insert(0, sys.argv[1])
victim = sys.argv[2]
from trading.examination.subject.confine import Limits, Walls
from trading.examination.package import readable
from pathlib import Path
import json, socket
walls = Walls(Limits(1 << 29, 20), readable(Path(sys.argv[1])))
try:
    {attempt}
except (PermissionError, ValueError) as error:
    print("refused:", error)
else:
    print("did it")
"""


@pytest.mark.parametrize("attempt", sorted(ATTEMPTS))
def test_a_confined_process_is_refused(attempt: str, tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("still here")
    code = SCRIPT.format(attempt=ATTEMPTS[attempt].replace("\n", "\n    "))
    result = subprocess.run(
        [sys.executable, "-c", code, str(packages.OWN), str(victim)],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert "refused:" in result.stdout, result.stdout + result.stderr
    assert victim.read_text() == "still here"
    assert list(tmp_path.iterdir()) == [victim]


def test_without_walls_nothing_is_examined(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = packages._copy

    def without_table(*words: object) -> Path:
        copy = original(*words)  # type: ignore[arg-type]  # handed on, whatever they are
        table = copy / packages.CHILD_PACKAGE / "syscalls.py"
        table.write_text(table.read_text() + "\nARCHITECTURES = {}\n")
        return copy

    monkeypatch.setattr(packages, "_copy", without_table)
    source = (packages.OWN / "trading/strategies/sma_cross/__init__.py").read_text()
    with pytest.raises(SandboxUnavailable, match="no system-call table"):
        examined(package(tmp_path, "honest", source), "honest")


@pytest.mark.parametrize("machine", sorted(ARCHITECTURES))
@pytest.mark.parametrize("loading", [True, False])
def test_the_filter_denies_what_it_does_not_name(machine: str, loading: bool) -> None:
    architecture = ARCHITECTURES[machine]
    assert _verdict(program(architecture, loading), architecture.audit, 10_000) == "deny"
    assert _verdict(program(architecture, loading), architecture.audit ^ 1, 0) == "kill"
    for number in architecture.always.values():
        assert _verdict(program(architecture, loading), architecture.audit, number) == "allow"
    reading = _verdict(program(architecture, loading), architecture.audit, architecture.openat)
    assert reading == ("allow" if loading else "deny")
    writing = _verdict(
        program(architecture, loading), architecture.audit, architecture.openat, (0, 0, 0o101)
    )
    assert writing == "deny"
    forking = _verdict(program(architecture, loading), architecture.audit, architecture.clone)
    assert forking == "deny"


def _verdict(
    code: list[tuple[int, int, int, int]],
    architecture: int,
    number: int,
    arguments: tuple[int, ...] = (0, 0, 0),
) -> str:
    """A small BPF machine, enough for these filters."""
    memory = {0: number, 4: architecture}
    for index, value in enumerate(arguments):
        memory |= {16 + 8 * index: value & 0xFFFFFFFF, 20 + 8 * index: value >> 32}
    at, accumulator = 0, 0
    while True:
        operation, yes, no, operand = code[at]
        at += 1
        if operation == 0x20:
            accumulator = memory[operand]
        elif operation == 0x06:
            kinds = {0x7FFF0000: "allow", 0x80000000: "kill"}
            return kinds.get(operand, "deny")
        else:
            tests = {0x15: accumulator == operand, 0x35: accumulator >= operand}
            at += yes if tests.get(operation, bool(accumulator & operand)) else no
