"""A place where branches are checked (by a stand-in for the stages), approved and merged for real."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from pipelines import wiring, wiring_jobs
from pipelines.adapters.signing import FileKeys
from pipelines.flows.jobs import Outcome, Tools, work
from pipelines.flows.reviewing import Desk
from pipelines.model.check import STAGES, Report, StageResult
from pipelines.model.release import ENVIRONMENTS, Release
from pipelines.model.source import source_digest
from pipelines.records.jobs import Job
from tests.support.pushing import Place
from tests.support.tiny_application import git

ADA, BEN = "Ada", "Ben"


class Reviewed(Place):
    """`red`: stage → status, for the next checks."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        for actor in (ADA, BEN):
            FileKeys(self.state).enrol(actor, ENVIRONMENTS)
        self.red: dict[str, str] = {}

    def desk(self, actor: str = ADA) -> Desk:
        return wiring_jobs.open_desk(self.state, actor)

    def branch(self, name: str, path: str, text: str, *, start: str = "main") -> str:
        """A branch of one commit, in the origin, with its check asked for; its commit."""
        self.app.git("checkout", "--quiet", "-B", name, start)
        self.app.write(path, text)
        head = self.app.commit(f"Change {path}")
        self.bring(name)
        return head

    def bring(self, name: str) -> None:
        """What a push does once it is taken, without the hooks, which have tests of their own."""
        git(self.bare, "fetch", "--quiet", str(self.app.folder), "HEAD")
        git(self.bare, "update-ref", f"refs/heads/{name}", self.app.head)
        self.jobs.ask("check", name, self.app.head, actor=ADA, reason="pushed")

    def report(self, branch: str, commit: str) -> Report:
        stages = tuple(
            StageResult(name, self.red.get(name, "passed"), f"{name} looked at 3 things", samples=3)
            for name in STAGES
        )
        trees = wiring_jobs.open_branches(self.state).trees(commit)
        return Report(branch, "develop", commit, commit, source_digest(trees), stages)

    def tools(self) -> Tools:
        def check(branch: str, commit: str, say: Callable[[str], None]) -> tuple[Report, Path]:
            say("looking")
            return self.report(branch, commit), self.state

        def build(commit: str) -> Release:
            raise AssertionError(f"no test here builds {commit}")

        return Tools(
            jobs=self.jobs,
            evidence=wiring.open_evidence(self.state),
            check=check,
            build=build,
            contexts=lambda actor: wiring_jobs.contexts(self.state, actor),
            merge=lambda job: wiring_jobs.complete_merge(self.state, job),
        )

    def run_job(self, kind: str) -> tuple[Job, Outcome]:
        """Take the next job, which must be of this kind, and do it in this process."""
        job = self.jobs.take()
        assert job is not None
        assert job.kind == kind
        outcome = work(self.tools(), job)
        self.jobs.end(job.id, outcome.status, outcome.message, outcome.report)
        return job, outcome

    def run_checks(self) -> None:
        while any(job.kind == "check" for job in self.jobs.waiting()):
            self.run_job("check")

    def subjects(self, branch: str) -> list[str]:
        return git(self.bare, "log", "--format=%s", branch).splitlines()
