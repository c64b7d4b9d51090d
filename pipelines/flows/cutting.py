"""Cutting a version: the branch `release/vX.Y.Z` at a release's commit, with its changelog.

The changelog lies outside the trees a release is made from, so the digest stays what it was. A
hotfix is cut when it goes to production; its changelog waits under `refs/slipway/hotfix/`, since its
branch is its author's.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pipelines.engine.changelog import FILE, section, with_section
from pipelines.engine.versioning import Bump, Version, bump_of, next_version, parse, versions_in
from pipelines.flows.source_ports import (
    BRANCH_TRAILER,
    RELEASE_TRAILER,
    VERSION_TRAILER,
    CutRecord,
    Move,
    Source,
)
from pipelines.model.check import CommitFact
from pipelines.model.errors import Refused
from pipelines.model.release import Release


@dataclass(frozen=True, slots=True)
class CutPlan:
    """What cutting will do. `branch` is `release/vX.Y.Z`, or the hotfix branch the commit is on."""

    version: Version
    branch: str
    ref: str
    base: str
    release: str
    commits: tuple[CommitFact, ...]
    why: str

    @property
    def words(self) -> str:
        hotfix = "" if self.branch.startswith("release/") else f" from {self.branch}"
        return f"version {self.version}{hotfix} at {self.base[:12]} with its changelog ({self.why})"


def existing(source: Source, release: Release) -> CutRecord | None:
    """The version this release was given before; a version is given once."""
    return next((cut for cut in source.cuts() if cut.release == release.id), None)


def plan_cut(
    source: Source, release: Release, contracts: Sequence[str], *, hotfixes: bool
) -> CutPlan | None:
    """None where nothing is to be cut: the release has its version, it is on `main` already, its
    commit is on none of the branches that lead there, or it is a hotfix and `hotfixes` is False."""
    cuts = source.cuts()
    if any(cut.release == release.id for cut in cuts):
        return None
    branch = _leads_to_main(source.branches_with(release.source_commit))
    if not branch or (branch != "develop" and not hotfixes):
        return None
    commits_of = source.tags()
    tags = versions_in(list(commits_of))
    last = max(tags, default=None)
    since = commits_of[tags[last]] if last else source.head("main")
    commits = tuple(source.log(since, release.source_commit))
    before = source.trees(since) if since else {}
    bump = bump_of(commits, before, source.trees(release.source_commit), contracts)
    if branch != "develop" and bump < Bump.MAJOR:
        bump = Bump.PATCH
    taken = {*tags, *(parse(cut.version) for cut in cuts)}
    version = next_version(last, bump, taken)
    name = f"release/v{version}"
    on_develop = branch == "develop"
    return CutPlan(
        version=version,
        branch=name if on_develop else branch,
        ref=f"refs/heads/{name}" if on_develop else f"refs/slipway/hotfix/v{version}",
        base=release.source_commit,
        release=release.id,
        commits=commits,
        why=f"{bump.name.lower()} since v{last}" if last else "the first one",
    )


def _leads_to_main(branches: Sequence[str]) -> str:
    if "main" in branches:
        return ""
    if "develop" in branches:
        return "develop"
    return next((name for name in branches if name.startswith("hotfix/")), "")


def cut(source: Source, plan: CutPlan, *, actor: str, day: str) -> CutRecord:
    """Write the changelog on top of the release's commit and the branch that names it. `day` is
    YYYY-MM-DD. Raises InProgress when somebody cut the same version meanwhile."""
    version = str(plan.version)
    text = with_section(source.text(plan.base, FILE), version, section(version, day, plan.commits))
    commit = source.write_file(
        plan.base,
        FILE,
        text,
        f"Write the changelog of {version}",
        {
            VERSION_TRAILER: version,
            RELEASE_TRAILER: plan.release,
            BRANCH_TRAILER: plan.branch,
        },
        author=actor,
    )
    if source.trees(commit) != source.trees(plan.base):
        raise Refused(
            f"the changelog of {version} would change what the release {plan.release} is made from",
            hint=f"{FILE} belongs at the top of the repository",
        )
    source.move([Move(plan.ref, commit, "")])
    return CutRecord(version, plan.release, plan.branch, plan.ref, commit, plan.base)
