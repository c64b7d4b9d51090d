"""The one place that starts uv: wheels, virtual environments, installing from a hashed lock."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from pipelines.model.errors import BadInput, Unavailable

_DROPPED = (
    *("VIRTUAL_ENV", "PYTHONPATH", "PYTHONHOME", "PYTHONDONTWRITEBYTECODE"),
    "PYTHONPYCACHEPREFIX",  # bytecode belongs into the release
)
_WRONG_LOCK = ("hash mismatch", "hashes", "no solution", "parse", "unsatisfiable")


class UvFailed(Exception):
    """uv ended with an error; `message` is what it said."""

    def __init__(self, argv: Sequence[str], message: str) -> None:
        super().__init__(f"{' '.join(argv[:2])}: {message}")
        self.message = message


def find_uv() -> str:
    """The uv that was installed with the engine, else the one on PATH. Raises Unavailable."""
    beside = Path(sys.executable).with_name("uv")
    if beside.exists():
        return str(beside)
    found = shutil.which("uv")
    if found is None:
        raise Unavailable("uv is not installed", hint="run `make up`: it installs the engine anew")
    return found


def base_python() -> str:
    """The interpreter behind the engine's own environment; releases run on the same one."""
    return str(Path(getattr(sys, "_base_executable", sys.executable)).resolve())


class Uv:
    """uv with the person's own settings (index, cache, certificates)."""

    def __init__(self, program: str = "") -> None:
        self._program = program

    def build_wheel(self, source: Path, out: Path) -> Path:
        """Wheel of the project in `source`. BadInput when its build fails."""
        argv = ["build", "--wheel", "--python", base_python(), "--out-dir", str(out), str(source)]
        try:
            self._run(argv, cwd=source, seconds=300)
        except UvFailed as error:
            raise BadInput(
                f"app/pyproject.toml: the wheel cannot be built: {_last_lines(error.message)}",
                hint="try it: uv build --wheel app",
            ) from error
        wheels = list(out.glob("*.whl"))
        if len(wheels) != 1:
            raise BadInput(f"app/pyproject.toml: built {len(wheels)} wheels, one is needed")
        return wheels[0]

    def make_venv(self, folder: Path) -> None:
        """Empty and relocatable: it is made under a temporary name."""
        argv = ["venv", "--quiet", "--relocatable", "--no-project", "--python", base_python()]
        try:
            self._run([*argv, str(folder)], cwd=folder.parent, seconds=60)
        except UvFailed as error:
            raise Unavailable(f"no virtual environment: {_last_lines(error.message)}") from error

    def install_lock(
        self, venv: Path, lock: Path, *, name: str = "app/requirements.lock", wheels: bool = False
    ) -> None:
        """Exactly what the lock says, hashes checked, files hard-linked, bytecode compiled. First
        from the cache alone, so a machine without network is not slow, then with the network.
        `name` is what people call the lock; `wheels`: nothing may be built, which runs its code."""
        argv = ["--require-hashes", "--link-mode", "hardlink", "--compile-bytecode"]
        argv += ["--only-binary", ":all:"] if wheels else []
        try:
            self._install(venv, [*argv, "--offline", "-r", str(lock)])
        except UvFailed:
            try:
                self._install(venv, [*argv, "-r", str(lock)])
            except UvFailed as error:
                raise _lock_error(error, name) from error

    def install_wheel(self, venv: Path, wheel: Path) -> None:
        """Copied, not linked: what happens to a release's code happens to no other."""
        try:
            self._install(
                venv, ["--no-deps", "--offline", "--reinstall", "--link-mode", "copy", str(wheel)]
            )
        except UvFailed as error:
            raise Unavailable(
                f"cannot install {wheel.name}: {_last_lines(error.message)}"
            ) from error

    def _install(self, venv: Path, arguments: Sequence[str]) -> None:
        python = ["--python", str(venv / "bin" / "python")]
        self._run(["pip", "install", "--quiet", *python, *arguments], cwd=venv, seconds=900)

    def _run(self, arguments: Sequence[str], *, cwd: Path, seconds: float) -> None:
        try:
            done = subprocess.run(
                [self._program or find_uv(), *arguments],
                cwd=cwd,
                env=_environment(),
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise Unavailable(
                f"uv {' '.join(arguments[:2])} did not end within {seconds:g} s",
                hint="is the network or the disk stuck? Run it again",
            ) from error
        if done.returncode != 0:
            _refuse_full_disk(done.stderr)
            raise UvFailed(arguments, done.stderr)


def compile_folder(python: Path, folder: Path) -> None:
    """Bytecode for one package. A failure costs time at the next start, nothing else."""
    subprocess.run(
        [str(python), "-m", "compileall", "-q", str(folder)],
        env=_environment(),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=120,
        check=False,
    )


def _environment() -> dict[str, str]:
    kept = {key: value for key, value in os.environ.items() if key not in _DROPPED}
    return {**kept, "UV_PYTHON_DOWNLOADS": "never"}


def _refuse_full_disk(message: str) -> None:
    if "No space left on device" in message or "Disk quota exceeded" in message:
        raise Unavailable(
            "the disk is full; nothing half-made was left behind",
            hint="make room (`slipway doctor` shows where), then run the same command again",
        )


def _lock_error(error: UvFailed, name: str) -> BadInput | Unavailable:
    if any(word in error.message.lower() for word in _WRONG_LOCK):
        return BadInput(
            f"{name}: {_last_lines(error.message)}",
            hint=f"make it anew: uv pip compile --generate-hashes <its pyproject.toml> -o {name}",
        )
    return Unavailable(
        f"the packages of {name} cannot be fetched: {_last_lines(error.message)}",
        hint="is there a network? What is in uv's cache needs none",
    )


def _last_lines(message: str) -> str:
    return " | ".join(line.strip() for line in message.strip().splitlines()[-6:])[:600]
