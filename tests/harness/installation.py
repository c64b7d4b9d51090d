"""One whole installation made from a clone of this repository, driven by the commands people use."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.harness import ports, processes
from tests.harness.agreement import Agreement

REPOSITORY = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ("dev", "staging", "production")
PORTS_PER_ENVIRONMENT = 10
PERSON = {
    "GIT_AUTHOR_NAME": "Ada Tester",
    "GIT_AUTHOR_EMAIL": "ada@example.invalid",
    "GIT_COMMITTER_NAME": "Ada Tester",
    "GIT_COMMITTER_EMAIL": "ada@example.invalid",
}


@dataclass(frozen=True, slots=True)
class Answer:
    """What a command said. `data` is its JSON, None when stdout was not JSON."""

    arguments: tuple[str, ...]
    code: int
    data: Any
    out: str
    err: str
    seconds: float

    @property
    def text(self) -> str:
        return f"{self.out}\n{self.err}"

    def __str__(self) -> str:
        return (
            f"slipway {' '.join(self.arguments)} → {self.code} in {self.seconds:.1f} s\n{self.text}"
        )


def git(folder: Path, *arguments: str) -> str:
    """stdout of a git command; raises with its stderr."""
    done = subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env=os.environ | PERSON,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise AssertionError(f"git {' '.join(arguments)}: {done.stderr}")
    return done.stdout.strip()


def clone(to: Path, *options: str) -> Path:
    """A clone of the working repository's HEAD, on branch main whatever that one is on: `up` moves
    the origin's branches from there alone."""
    subprocess.run(
        ["git", "clone", "--quiet", *options, str(REPOSITORY), str(to)],
        check=True,
        capture_output=True,
    )
    git(to, "checkout", "--quiet", "-B", "main")
    return to


@dataclass
class Installation:
    """`command` is how slipway is started; `state` lies outside the checkout unless told otherwise."""

    checkout: Path
    state: Path
    base_port: int = field(default_factory=ports.free_block)
    command: tuple[str, ...] = ()
    first_up_output: str = ""
    first_up_seconds: float = 0.0
    first_head: str = ""

    def __post_init__(self) -> None:
        self.command = self.command or (str(self.checkout / ".venv" / "bin" / "slipway"),)
        self.first_head = self.first_head or git(self.checkout, "rev-parse", "HEAD")

    # --- commands ------------------------------------------------------------------------------
    def run(
        self,
        *arguments: str,
        timeout: float = 300,
        variables: Mapping[str, str] | None = None,
        as_json: bool = True,
        prefix: Sequence[str] = (),
    ) -> Answer:
        """Run `slipway …` in the checkout; never raises for an exit code."""
        words = [*prefix, *self.command, *arguments, *(["--output", "json"] if as_json else [])]
        begun = time.monotonic()
        done = subprocess.run(
            words,
            cwd=self.checkout,
            env=self.variables() | dict(variables or {}),
            capture_output=True,
            text=True,
            timeout=timeout,
            stdin=subprocess.DEVNULL,
            check=False,
        )
        return Answer(
            arguments,
            done.returncode,
            _parse(done.stdout),
            done.stdout,
            done.stderr,
            time.monotonic() - begun,
        )

    def start(self, *arguments: str, into: Path | None = None) -> subprocess.Popen[str]:
        """The same in the background; what it says goes into pipes, or both into one file."""
        with into.open("w") if into else nullcontext() as file:
            return subprocess.Popen(
                [*self.command, *arguments, "--output", "json"],
                cwd=self.checkout,
                env=self.variables(),
                stdout=file or subprocess.PIPE,
                stderr=subprocess.STDOUT if file else subprocess.PIPE,
                stdin=subprocess.DEVNULL,
                text=True,
            )

    def ok(self, *arguments: str, timeout: float = 300, **options: Any) -> Any:
        """Run and insist on exit code 0; returns the JSON."""
        answer = self.run(*arguments, timeout=timeout, **options)
        assert answer.code == 0, str(answer)
        return answer.data

    def variables(self) -> dict[str, str]:
        kept = {k: v for k, v in os.environ.items() if not k.startswith("SLIPWAY_")}
        return kept | PERSON | {"SLIPWAY_STATE": str(self.state)}

    def up(self, *, timeout: float = 400) -> Answer:
        return self.run("up", "--base-port", str(self.base_port), timeout=timeout)

    def make_up(self, *, timeout: float = 600) -> tuple[int, str, float]:
        """`make up` as a newcomer types it: exit code, output, seconds."""
        begun = time.monotonic()
        done = subprocess.run(
            ["make", "up", f"ARGS=--state {self.state} --base-port {self.base_port}"],
            cwd=self.checkout,
            env={k: v for k, v in self.variables().items() if k != "SLIPWAY_STATE"},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            stdin=subprocess.DEVNULL,
            text=True,
            timeout=timeout,
            check=False,
        )
        return done.returncode, done.stdout, time.monotonic() - begun

    def down(self) -> list[processes.Running]:
        """`slipway down`, then by id whatever it left (returned: should be nothing)."""
        try:
            self.run("down", timeout=90)
        finally:
            left = processes.end_all(self.state, self.runtime)
        return left

    # --- releases ------------------------------------------------------------------------------
    def commit(self, edit: Callable[[Path], None], subject: str) -> str:
        """Apply an edit to the checkout and commit it; returns the commit."""
        edit(self.checkout)
        git(self.checkout, "add", "--all")
        git(self.checkout, "commit", "--quiet", "--allow-empty", "--message", subject)
        return git(self.checkout, "rev-parse", "HEAD")

    @contextmanager
    def put_back(self) -> Iterator[None]:
        """What is committed in the block is taken out of the checkout again; releases of it stay."""
        head = git(self.checkout, "rev-parse", "HEAD")
        try:
            yield
        finally:
            git(self.checkout, "reset", "--quiet", "--hard", head)

    @contextmanager
    def soaking(self, environment: str, seconds: float) -> Iterator[None]:
        """What `main` says of an environment, for a while, as a person changes it: by one more commit."""
        main = git(self.origin, "rev-parse", "refs/heads/main")
        with tempfile.TemporaryDirectory() as folder:
            git(self.origin, "clone", "--quiet", "--branch", "main", str(self.origin), folder)
            file = Path(folder) / "environments" / environment / "environment.yaml"
            document = yaml.safe_load(file.read_text()) | {"soak_seconds": seconds}
            file.write_text(yaml.safe_dump(document, sort_keys=False))
            git(Path(folder), "commit", "--quiet", "--all", "--message", f"Let {environment} soak")
            git(self.origin, "fetch", "--quiet", folder, "HEAD:refs/heads/main")
        try:
            yield
        finally:
            git(self.origin, "update-ref", "refs/heads/main", main)

    def build(self) -> str:
        """Release id of a build of HEAD."""
        data = self.ok("build")
        release = data.get("release", data.get("id"))
        return str(release["id"] if isinstance(release, dict) else release)

    def release(self, edit: Callable[[Path], None], subject: str) -> str:
        """Commit an edit on top of what is there, build it, and return the release id."""
        self.commit(edit, subject)
        return self.build()

    def promote(
        self, environment: str, release: str, *, timeout: float = 200, reason: str = "a test"
    ) -> Answer:
        return self.run("promote", environment, release, "--reason", reason, timeout=timeout)

    # --- places --------------------------------------------------------------------------------
    @property
    def runtime(self) -> Path:
        noted = self.state / "installation.json"
        if noted.exists():
            return Path(json.loads(noted.read_text())["runtime"])
        digest = hashlib.sha256(str(self.state).encode()).hexdigest()[:8]
        return Path(f"/tmp/slipway-{os.getuid()}-{digest}")

    @property
    def token(self) -> str:
        return (self.state / "token").read_text().strip()

    @property
    def origin(self) -> Path:
        return self.state / "origin.git"

    def port(self, environment: str, offset: int = 0) -> int:
        """Offset 0 live, 1 blue, 2 green, 3 venue."""
        return self.base_port + PORTS_PER_ENVIRONMENT * ENVIRONMENTS.index(environment) + offset

    def slot_port(self, environment: str, slot: str) -> int:
        return self.port(environment, 1 if slot == "blue" else 2)

    def agreement(self, environment: str) -> Agreement:
        return Agreement(
            environment,
            origin=self.origin,
            live_port=self.port(environment),
            slot_ports={slot: self.slot_port(environment, slot) for slot in ("blue", "green")},
            database_uri=self.database_uri(environment),
        )

    def database_uri(self, environment: str) -> str:
        from tests.harness.database import uri

        return uri(self.state, self.runtime, environment)

    def processes(self, environment: str | None = None) -> list[processes.Running]:
        found = processes.of(self.state, self.runtime)
        return [p for p in found if environment in (None, p.environment)]

    def arm(self, point: str, environment: str) -> None:
        """The next process of `environment` that reaches `point` kills itself."""
        (self.state / "failpoint").write_text(f"{point}\n{environment}\n")

    def armed(self) -> bool:
        return (self.state / "failpoint").exists()

    def remove(self) -> None:
        self.down()
        shutil.rmtree(self.state, ignore_errors=True)
        shutil.rmtree(self.runtime, ignore_errors=True)


def borrowed(other: Installation) -> tuple[str, ...]:
    """Commands of another checkout, run by the `.venv` of one that has it: saves making a second."""
    return (str(other.checkout / ".venv" / "bin" / "python"), "-m", "pipelines.cli.main")


def _parse(text: str) -> Any:
    """The JSON document on stdout; a progress line before it is skipped."""
    for start in (text, text[text.find("\n{") + 1 :]):
        try:
            return json.loads(start)
        except ValueError:
            continue
    return None
