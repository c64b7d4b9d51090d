"""The wheels that a lock names, for the Python of a base image: fetched before the build, by hash."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement

from pipelines.adapters.images.docker import BasePython
from pipelines.model.errors import BadInput, NeedsPerson, Unavailable

_OLDEST_LIBC = 5  # manylinux begins with glibc 2.5
_SECONDS = 900.0
_WRONG = ("hash", "no matching distribution", "invalid requirement", "conflict")


def fill(lock: Path, folder: Path, python: BasePython, *, name: str) -> None:
    """`folder`/wheelhouse, `folder`/requirements.lock (without markers) and `folder`/pip, the program
    that installs them where there is none. `name` is what people call the lock.

    Raises BadInput for a lock that has no hashes or names what has no wheel, Unavailable without a
    network, NeedsPerson where pip is missing.
    """
    (folder / "wheelhouse").mkdir()
    text = "\n".join(lines_for(lock.read_text(encoding="utf-8"), python.markers, name))
    (folder / "requirements.lock").write_text(text + "\n", encoding="utf-8")
    if text:
        _download(folder, python, name)
    shutil.copytree(
        _pip(), folder / "pip" / "pip", ignore=shutil.ignore_patterns("__pycache__", "*.exe")
    )


def lines_for(text: str, markers: Mapping[str, str], name: str) -> Iterator[str]:
    """The requirements of a lock that count where `markers` are true, with their hashes alone."""
    for line in re.sub(r"\\\n", " ", text).splitlines():
        line = line.partition(" #")[0].strip()
        if not line or line.startswith("#"):
            continue
        head, *hashes = re.split(r"\s+--hash=", line)
        try:
            requirement = Requirement(head)
        except InvalidRequirement as error:
            raise BadInput(f"{name}: {head!r} is not a requirement") from error
        if not hashes:
            raise BadInput(
                f"{name}: {head!r} has no hash",
                hint="make it anew: uv pip compile --generate-hashes",
            )
        if requirement.marker is None or requirement.marker.evaluate(dict(markers)):
            requirement.marker = None
            yield " ".join([str(requirement), *(f"--hash={known}" for known in hashes)])


def platforms(python: BasePython) -> list[str]:
    """Tags of the wheels that run there, newest first."""
    minor = int(python.libc.partition(".")[2])
    tags = [f"manylinux_2_{n}_{python.machine}" for n in range(minor, _OLDEST_LIBC - 1, -1)]
    old = [f"manylinux{n}_{python.machine}" for n in ("2014", "2010", "1")]
    return [*tags, *old, f"linux_{python.machine}"]


def _download(folder: Path, python: BasePython, name: str) -> None:
    fits = ["--python-version", f"3.{python.minor}", "--implementation", "cp"]
    fits += [f"--abi={abi}" for abi in (f"cp3{python.minor}", "abi3", "none")]
    fits += [f"--platform={tag}" for tag in platforms(python)]
    argv = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--require-hashes"]
    argv += ["--disable-pip-version-check", "--only-binary", ":all:", *fits]
    argv += ["--dest", str(folder / "wheelhouse"), "-r", str(folder / "requirements.lock")]
    _pip()
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise Unavailable(f"the wheels of {name} did not come within {_SECONDS:g} s") from error
    if done.returncode:
        said = " | ".join(line.strip() for line in done.stderr.strip().splitlines()[-4:])[:600]
        if any(word in said.lower() for word in _WRONG):
            raise BadInput(f"{name}: {said}", hint="every package needs a wheel for the base image")
        raise Unavailable(
            f"the wheels of {name} cannot be fetched: {said}", hint="is there a network?"
        )


def _pip() -> Path:
    found = find_spec("pip")
    if found is None or found.origin is None:
        raise NeedsPerson(
            "pip is missing, which fetches the wheels of an image",
            hint="install the extra: uv pip install 'slipway[kubernetes]'",
        )
    return Path(found.origin).parent
