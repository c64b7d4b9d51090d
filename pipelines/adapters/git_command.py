"""The one place that starts git: cleaned environment, bounded time, errors in words."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

from pipelines.model.errors import Unavailable

TIME_LIMIT_SECONDS = 20.0


class GitFailed(Exception):
    """git ended with an error; `message` is what it said, `output` its standard output."""

    def __init__(self, argv: Sequence[str], code: int, message: str, output: bytes = b"") -> None:
        super().__init__(f"git {argv[0]}: {message or f'exit code {code}'}")
        self.code = code
        self.message = message
        self.output = output


class Git:
    """git in one folder.

    `isolated`: read no configuration but the repository's own (for the origin, which is ours);
    otherwise the person's settings count too, such as what they ignore (for their checkout).
    `variables` are set on top, such as further object folders to read from.
    """

    def __init__(
        self,
        folder: Path,
        *,
        isolated: bool,
        bare: bool = False,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self._variables = dict(variables or {})
        self._isolated = isolated
        self._bare = bare

    def run(
        self,
        *arguments: str,
        stdin: bytes = b"",
        identity: str = "",
        at: str = "",
        seconds: float = TIME_LIMIT_SECONDS,
    ) -> bytes:
        """Standard output. `identity` and `at` are the author's. Raises GitFailed; Unavailable when
        git is missing or does not end in time."""
        argv = command(self.folder, arguments, bare=self._bare)
        try:
            done = subprocess.run(
                argv,
                input=stdin,
                capture_output=True,
                timeout=seconds,
                check=False,
                env={
                    **environment(os.environ, isolated=self._isolated, identity=identity, at=at),
                    **self._variables,
                },
            )
        except FileNotFoundError as error:
            raise Unavailable("git is not installed", hint="install the package git") from error
        except subprocess.TimeoutExpired as error:
            raise Unavailable(
                f"git {arguments[0]} in {self.folder} did not end within {seconds:g} s",
                hint="is the disk or the network file system stuck?",
            ) from error
        if done.returncode != 0:
            message = done.stderr.decode("utf-8", "replace").strip()
            raise GitFailed(arguments, done.returncode, message, done.stdout)
        return done.stdout

    def text(self, *arguments: str, stdin: bytes = b"") -> str:
        return self.run(*arguments, stdin=stdin).decode("utf-8", "replace").strip()


def command(folder: Path, arguments: Sequence[str], *, bare: bool) -> list[str]:
    """argv. A checkout of another owner is fine: the person runs its Makefile already."""
    where = [f"--git-dir={folder}"] if bare else ["-C", str(folder)]
    return [
        "git",
        "--no-pager",
        "-c",
        "safe.directory=*",
        "-c",
        "core.quotePath=false",
        *where,
        *arguments,
    ]


def environment(
    inherited: Mapping[str, str], *, isolated: bool, identity: str, at: str
) -> dict[str, str]:
    """Nothing of an outer git (hooks set GIT_DIR), no questions, English, and an identity always."""
    cleaned = {key: value for key, value in inherited.items() if not key.startswith("GIT_")}
    author = "".join(c for c in identity if c not in "<>\n\r\0").strip() or "Slipway"
    cleaned |= {
        "LC_ALL": "C",
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_OPTIONAL_LOCKS": "0",
        "GIT_DEFAULT_REF_FORMAT": "files",
        "GIT_AUTHOR_NAME": author,
        "GIT_AUTHOR_EMAIL": "slipway@localhost",
        "GIT_COMMITTER_NAME": "Slipway",
        "GIT_COMMITTER_EMAIL": "slipway@localhost",
    }
    if at:
        cleaned["GIT_AUTHOR_DATE"] = at
    if isolated:
        cleaned |= {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull}
    return cleaned
