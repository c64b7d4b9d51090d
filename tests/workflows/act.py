"""Runs the real workflow file by act, in a clone with an origin of its own.

Stood in, because GitHub cannot be reached from a test: the two artefact actions (copies in a
folder), `gh` (two calls), the advisories (planted ones), and the checkout, which is act's own. All of
it is given to act's command line; the workflow file is the one that GitHub runs.
"""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
STAND_INS = Path(__file__).with_name("stand_ins")
WORKFLOW = ROOT / ".github" / "workflows" / "pull-request.yml"
REPOSITORY = "slipway/slipway"
SUMMARY = "⚙  Summary - "
"""How act shows what a step wrote to its summary."""
PERSON = ["-c", "user.name=Ada", "-c", "user.email=ada@example.org"]


@dataclass(frozen=True)
class Ended:
    """How a run ended. `jobs`: name of a job to `success` or `failure`; others did not run.
    `summary`: what all jobs wrote to their summary pages."""

    code: int
    jobs: dict[str, str]
    summary: str
    log: str
    folder: Path

    @property
    def gate(self) -> str | None:
        return self.jobs.get("required-checks-passed")

    @property
    def comment(self) -> str | None:
        """The comment on pull request 7."""
        file = self.folder / "github" / "comment-7.md"
        return file.read_text("utf-8") if file.exists() else None

    def artefacts(self, name: str) -> set[str]:
        return {file.name for file in (self.folder / "artefacts" / name).rglob("*")}


@dataclass(frozen=True)
class Repository:
    """A clone on a branch, with what GitHub would have as its origin."""

    folder: Path

    @property
    def checkout(self) -> Path:
        return self.folder / "checkout"

    def git(self, *words: str | Path) -> str:
        argv = ["git", "-C", self.checkout, *PERSON, *words]
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()

    def merge_into(self, base: str) -> None:
        """Check out what GitHub would: the branch merged into the tip of `base`, on no branch."""
        branch = self.git("rev-parse", "HEAD")
        self.git("switch", "--quiet", "--detach", f"origin/{base}")
        self.git("merge", "--quiet", "--no-ff", "--message", f"Merge {branch} into {base}", branch)

    def advance(self, base: str) -> None:
        """Somebody else's commit arrives on `base` of the origin."""
        branch = self.git("symbolic-ref", "--short", "HEAD")
        self.git("switch", "--quiet", "--detach", f"origin/{base}")
        self.commit("docs/elsewhere.md", "# Elsewhere\n", "Write about something else")
        self.git("push", "--quiet", "origin", f"HEAD:refs/heads/{base}")
        self.git("switch", "--quiet", branch)

    def commit(self, path: str, text: str, subject: str) -> None:
        file = self.checkout / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, "utf-8")
        self.git("add", path)
        self.git("commit", "--quiet", "--message", subject)


def repository(folder: Path, branch: str, base: str = "develop") -> Repository:
    """`main` and `develop` of the origin are this checkout's HEAD; `branch` starts there."""
    origin = folder / "origin.git"
    for argv in (
        ["git", "clone", "--quiet", "--bare", ROOT, origin],
        ["git", "-C", origin, "branch", "--force", "develop", "HEAD"],
        ["git", "clone", "--quiet", "--branch", "develop", origin, folder / "checkout"],
    ):
        subprocess.run(argv, check=True, capture_output=True)
    made = Repository(folder)
    made.git("switch", "--quiet", "--no-track", "--create", branch, f"origin/{base}")
    return made


def pull_request(
    repository: Repository, branch: str, body: str, *, base: str = "develop", fork: bool = False
) -> dict[str, Any]:
    """The part of GitHub's pull request that the workflow reads. What is checked out is its head."""
    theirs = "somebody/slipway" if fork else REPOSITORY
    head = repository.git("rev-parse", "HEAD")
    return {
        "number": 7,
        "head": {"ref": branch, "sha": head, "repo": {"full_name": theirs}},
        "base": {"ref": base, "repo": {"full_name": REPOSITORY}},
        "body": body,
    }


def run(
    repository: Repository,
    environment: dict[str, str],
    event: str,
    payload: dict[str, Any],
    *,
    stored: dict[str, Any] | None = None,
    stage: str = "policy",
    workflow: Path = WORKFLOW,
    job: str = "",
) -> Ended:
    """One run of the workflow for an event; of the matrix only `stage`. `stored`: pull request 7,
    as GitHub's interface answers it. `job`: only this one and what it needs."""
    folder = repository.folder
    for name in ("github", "artefacts"):
        (folder / name).mkdir(exist_ok=True)
    event_file = folder / "event.json"
    event_file.write_text(json.dumps({**payload, "repository": {"full_name": REPOSITORY}}))
    if stored:
        (folder / "github" / "pull-7.json").write_text(json.dumps(stored))
    argv = [
        "act", event, "--directory", repository.checkout, "--workflows", workflow,
        "--eventpath", event_file, "--platform", "ubuntu-latest=-self-hosted",
        "--matrix", f"stage:{stage}", "--secret", "GITHUB_TOKEN=stand-in",
        "--env", f"GITHUB_REPOSITORY={REPOSITORY}",
        "--action-offline-mode", "--action-cache-path", folder / "act", "--no-cache-server",
        "--json", *replaced(), *(["--job", job] if job else []),
    ]  # fmt: skip
    variables = environment | {
        "GITHUB_REPOSITORY": REPOSITORY,
        "STAND_IN_ARTIFACTS": str(folder / "artefacts"),
        "STAND_IN_GITHUB": str(folder / "github"),
        "STAND_IN_ADVISORIES": str(folder / "advisories"),
        "PATH": f"{STAND_INS / 'bin'}:{environment['PATH']}",
    }
    done = subprocess.run(argv, env=variables, capture_output=True, text=True, timeout=200)
    shutil.rmtree(folder / "act", ignore_errors=True)  # a failed job leaves its whole workspace
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]
    said = [str(line.get("msg", "")).rstrip("\n") for line in lines]
    return Ended(
        code=done.returncode,
        jobs={line["jobID"]: line["jobResult"] for line in lines if "jobResult" in line},
        summary="\n".join(w.partition(SUMMARY)[2] for w in said if w.lstrip().startswith(SUMMARY)),
        log="\n".join([*said, done.stderr]),
        folder=folder,
    )


def replaced() -> list[str]:
    """Which action at which commit act finds where. Nothing is found for an action that is new. The
    checkout of this repository stays act's own; only one of another repository is stood in."""
    text = WORKFLOW.read_text("utf-8")
    used = set(re.findall(r"uses: (actions/([a-z-]+)@[0-9a-f]{40})", text))
    assert used, "the workflow uses no action"
    return [f"--local-repository={action}={STAND_INS / name}" for action, name in sorted(used)]
