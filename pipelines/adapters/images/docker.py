"""A Docker Engine by its own program, so DOCKER_HOST, contexts and logins are the person's."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipelines.model.errors import BadInput, Unavailable

_AWAY = (
    "cannot connect to the docker daemon",
    "permission denied while trying",
    "error during connect",
)
_LONG_SECONDS = 1800.0

# Printed by the base image's own Python: what its wheels must fit.
_ASK = (
    "import json,os,platform,sys;print(json.dumps({'minor':sys.version_info[1],"
    "'machine':platform.machine(),'libc':platform.libc_ver()[1],'markers':{"
    "'implementation_name':sys.implementation.name,'implementation_version':platform.python_version(),"
    "'os_name':os.name,'platform_machine':platform.machine(),'platform_release':'',"
    "'platform_system':platform.system(),'platform_version':'','platform_python_implementation':"
    "platform.python_implementation(),'python_full_version':platform.python_version(),"
    "'python_version':'%d.%d'%sys.version_info[:2],'sys_platform':sys.platform}}))"
)


@dataclass(frozen=True, slots=True)
class BasePython:
    """The Python of a base image: 3.`minor`, its machine (`x86_64`), its C library (`2.36`), and what
    markers of a lock see there."""

    minor: int
    machine: str
    libc: str
    markers: Mapping[str, str]


class Docker:
    """One engine. Raises Unavailable when it does not answer, BadInput when it refuses a build."""

    def python_of(self, image: str) -> BasePython:
        """Starts it once, without a network."""
        options = ["--rm", "--network", "none", "--entrypoint", "python3"]
        try:
            text = self._run(["run", *options, image, "-I", "-c", _ASK], seconds=_LONG_SECONDS)
            said = json.loads(text)
        except (_Failed, ValueError) as error:
            raise BadInput(
                f"the base image {image} cannot be used: {error}",
                hint="name one that is there and has python3: --base-image IMAGE",
            ) from error
        return BasePython(said["minor"], said["machine"], said["libc"], said["markers"])

    def layers_of(self, image: str) -> list[str]:
        """Digests of its unpacked layers, lowest first."""
        text = self._ask(["image", "inspect", "--format", "{{json .RootFS.Layers}}", image])
        layers: list[str] = json.loads(text)
        return layers

    def build(self, context: Path, tag: str, arguments: Mapping[str, str]) -> None:
        """From `context`/Dockerfile, without a network."""
        options = [f"--build-arg={name}={value}" for name, value in arguments.items()]
        argv = ["build", "--network", "none", "--tag", tag, *options, str(context)]
        try:
            self._run(argv, seconds=_LONG_SECONDS)
        except _Failed as error:
            raise BadInput(
                f"the image cannot be built: {error}", hint="see the Dockerfile"
            ) from error

    def save(self, tag: str, file: Path) -> None:
        self._ask(["save", "--output", str(file), tag])

    def load(self, file: Path) -> None:
        self._ask(["load", "--quiet", "--input", str(file)])

    def push(self, name: str) -> str:
        """Returns the digest that the registry knows it by: layers are packed on the way."""
        try:
            self._run(["push", "--quiet", name], seconds=_LONG_SECONDS)
        except _Failed as error:
            registry = name.partition("/")[0]
            raise Unavailable(
                f"{name} was not pushed: {error}", hint=f"docker login {registry}, then again"
            ) from error
        said = self._ask(["image", "inspect", "--format", "{{json .RepoDigests}}", name])
        return _digest(json.loads(said), name)

    def forget(self, tag: str) -> None:
        """A temporary name, and the stages of its build: they carry it as a label. What another
        image uses stays."""
        label = f"label=dev.slipway.making={tag}"
        for argv in (["image", "rm", tag], ["image", "prune", "--force", "--filter", label]):
            with suppress(_Failed):
                self._run(argv, seconds=60)

    def _ask(self, arguments: Sequence[str]) -> str:
        try:
            return self._run(arguments, seconds=_LONG_SECONDS)
        except _Failed as error:
            raise Unavailable(f"docker {arguments[0]}: {error}", hint="slipway doctor") from error

    def _run(self, arguments: Sequence[str], *, seconds: float) -> str:
        try:
            done = subprocess.run(
                ["docker", *arguments],
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                errors="replace",
                timeout=seconds,
                check=False,
            )
        except FileNotFoundError as error:
            raise Unavailable(
                "docker is not installed, and images are built by it",
                hint="apt-get install docker.io, or https://docs.docker.com/engine/install",
            ) from error
        except subprocess.TimeoutExpired as error:
            raise Unavailable(f"docker {arguments[0]} did not end within {seconds:g} s") from error
        if done.returncode == 0:
            return done.stdout
        message = _last_lines(done.stderr or done.stdout)
        if any(words in done.stderr.lower() for words in _AWAY):
            raise Unavailable(
                f"no Docker Engine answers: {message}",
                hint="start it, or say where it is: export DOCKER_HOST=unix:///run/docker.sock",
            )
        raise _Failed(message)


class _Failed(Exception):
    """docker ended with an error; the text is what it said last."""


def _digest(known: Sequence[str], name: str) -> str:
    """Of `REPOSITORY@sha256:…` entries the one of `name`'s repository; empty when there is none."""
    repository = name.rpartition(":")[0]
    return next((one.partition("@")[2] for one in known if one.partition("@")[0] == repository), "")


def _last_lines(text: str) -> str:
    return " | ".join(line.strip() for line in text.strip().splitlines()[-4:])[:600]


def as_json(value: Any) -> bytes:
    """The same bytes for the same value."""
    return json.dumps(value, sort_keys=True, separators=(",", ":")).encode()
