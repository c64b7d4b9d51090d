"""How git logs in at another repository with what a folder holds, a mounted Secret for instance.

The files are named as in Kubernetes' own kinds of Secrets: `username` and `password` (basic-auth),
`ssh-privatekey` (ssh-auth) with `known_hosts` beside it, and `ca.crt` for a host with a certificate of
its own. Nothing of it comes into an argument or an environment variable: git reads the files.
"""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from pipelines.model.errors import BadInput

PASSWORD, USERNAME, KEY, HOSTS, AUTHORITY = (
    *("password", "username", "ssh-privatekey", "known_hosts", "ca.crt"),
)
SLOW_SECONDS = 10
"""A transfer that brought nothing for so long is ended."""


def refuse_secret(repository: str) -> str:
    """The address as it is. Raises BadInput for one with a password, which `ps` would show."""
    if "://" in repository and urlsplit(repository).password is not None:
        raise BadInput(
            "the repository's address holds a password",
            hint="take it out, and give a folder with the file password: --credentials",
        )
    if not repository or repository.startswith("-"):
        raise BadInput(f"{repository!r} is no address of a repository")
    return repository


def variables(folder: Path | None) -> dict[str, str]:
    """Environment of git. Raises BadInput for a folder that says nothing, or a key without hosts."""
    settings = {
        "gc.auto": "0",
        "http.lowSpeedLimit": "1",
        "http.lowSpeedTime": str(SLOW_SECONDS),
        "protocol.version": "2",
    }
    ssh = ["ssh", "-o", "BatchMode=yes", "-o", f"ConnectTimeout={SLOW_SECONDS}"]
    if folder is not None:
        _need(folder)
        if (folder / PASSWORD).exists():
            settings["credential.helper"] = _helper(folder)
        if (folder / AUTHORITY).exists():
            settings["http.sslCAInfo"] = str(folder / AUTHORITY)
        if (folder / KEY).exists():
            ssh += _key(folder)
    return {**_configuration(settings), "GIT_SSH_COMMAND": shlex.join(ssh)}


def _need(folder: Path) -> None:
    if not any((folder / name).exists() for name in (PASSWORD, KEY, AUTHORITY)):
        raise BadInput(
            f"{folder} has no credentials: none of {PASSWORD}, {KEY}, {AUTHORITY}",
            hint="a Secret of type kubernetes.io/basic-auth or kubernetes.io/ssh-auth has them",
        )


def _key(folder: Path) -> list[str]:
    hosts = folder / HOSTS
    if not hosts.exists():
        raise BadInput(
            f"{folder} has {KEY} and no {HOSTS}: whose answer it is could not be told",
            hint=f"add what `ssh-keyscan HOST` prints, once you compared it, as {HOSTS}",
        )
    return [
        *("-i", str(folder / KEY), "-o", "IdentitiesOnly=yes"),
        *("-o", f"UserKnownHostsFile={hosts}", "-o", "StrictHostKeyChecking=yes"),
    ]


def _helper(folder: Path) -> str:
    name, password = folder / USERNAME, shlex.quote(str(folder / PASSWORD))
    user = f"$(cat {shlex.quote(str(name))})" if name.exists() else "git"
    said = f'printf "username=%s\\npassword=%s\\n" "{user}" "$(cat {password})"'
    return f'!f() {{ test "$1" != get || {said}; }}; f'


def _configuration(settings: Mapping[str, str]) -> dict[str, str]:
    found = {"GIT_CONFIG_COUNT": str(len(settings))}
    for number, (key, value) in enumerate(sorted(settings.items())):
        found |= {f"GIT_CONFIG_KEY_{number}": key, f"GIT_CONFIG_VALUE_{number}": value}
    return found
