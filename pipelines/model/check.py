"""What `slipway check` judges and what a stage answers. Frozen facts, no I/O."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

STAGES = ("policy", "quality", "strategy", "security", "migrations", "render")
"""In the order in which a report shows them; they run side by side."""

PASSED, FAILED, BROKEN, UNTOUCHED = "passed", "failed", "broken", "untouched"
"""`broken`: the stage could not do its work (a tool is missing, hangs or answers garbage). It is red
like `failed`. `untouched`: the change has nothing for this stage."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing a reviewer would say. `severity`: error (red) · warning · note. `rule` names what
    found it, `<tool>/<code>` for a tool's own rule; `line` is 0 where there is none."""

    rule: str
    message: str
    severity: str = "error"
    path: str = ""
    line: int = 0
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file a stage made for people, such as the HTML report of a strategy."""

    name: str
    path: Path


@dataclass(frozen=True, slots=True)
class StageResult:
    """`document` is deterministic: the same inputs give the same bytes (no times, no paths, no
    seconds), so that repeating a gate can be compared. What differs between runs (seconds of a
    step, ages) goes into `observed`. `samples` says how much was looked at. `tools` and `inputs`
    are versions and digests. `markdown` is the stage's section of the pull-request report."""

    stage: str
    status: str
    summary: str
    findings: tuple[Finding, ...] = ()
    samples: int = 0
    document: Mapping[str, Any] = field(default_factory=dict)
    observed: Mapping[str, Any] = field(default_factory=dict)
    tools: Mapping[str, str] = field(default_factory=dict)
    inputs: Mapping[str, str] = field(default_factory=dict)
    markdown: str = ""
    attachments: tuple[Attachment, ...] = ()
    seconds: float = 0.0
    cached: bool = False

    @property
    def red(self) -> bool:
        return self.status in (FAILED, BROKEN)


@dataclass(frozen=True, slots=True)
class ChangedFile:
    """`status` as git says it: A, M, D or R (then `old_path` is where it was)."""

    path: str
    status: str
    old_path: str = ""

    @property
    def paths(self) -> tuple[str, ...]:
        return (self.path, self.old_path) if self.old_path else (self.path,)


@dataclass(frozen=True, slots=True)
class CommitFact:
    """A commit of the change, newest first in `Change.commits`."""

    id: str
    author: str
    subject: str
    body: str = ""
    parents: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Tree:
    """A commit's files, exported to a folder that nobody writes to. `objects` maps a path at the
    top (`app`, `policies`, `environments`, …) to its git object id; stages key their cache by it."""

    commit: str
    folder: Path
    objects: Mapping[str, str]

    def text(self, path: str) -> str | None:
        """The file's text, None when it is not there."""
        file = self.folder / path
        return file.read_text("utf-8", "replace") if file.is_file() else None


@dataclass(frozen=True, slots=True)
class Change:
    """What is under judgement: `head` against `base`, the point where `branch` left `target`.

    `rules` is the tip of the branch the merge goes to: policies, thresholds and tool settings come
    from there, never from `head`. `everything`: judge the whole tree, not only what changed.
    `pull_request` is the text of the pull request, None where there is none (yet). `starts_from`:
    `main` and `develop` as far as the branch left from them (`pipelines.adapters.branch_start`),
    None where nobody looked.
    """

    branch: str
    target: str
    head: Tree
    base: Tree
    rules: Tree
    files: tuple[ChangedFile, ...]
    commits: tuple[CommitFact, ...] = ()
    pull_request: str | None = None
    everything: bool = False
    starts_from: tuple[str, ...] | None = None

    def touches(self, *prefixes: str) -> bool:
        """Whether a changed file lies under one of the prefixes, or everything is judged."""
        return self.everything or any(
            path.startswith(prefixes) for file in self.files for path in file.paths
        )

    def changed(self, prefix: str, suffix: str = "") -> tuple[str, ...]:
        """Changed files that are there in head, under a prefix."""
        return tuple(
            f.path
            for f in self.files
            if f.status != "D" and f.path.startswith(prefix) and f.path.endswith(suffix)
        )


@dataclass(frozen=True, slots=True)
class Report:
    """All stages of one check. `source` is the digest of the trees a release would be made from
    (`pipelines.model.source.source_digest`), `base_source` that of the base; empty: not known."""

    branch: str
    target: str
    commit: str
    base_commit: str
    source: str
    stages: tuple[StageResult, ...]
    notes: tuple[str, ...] = ()
    seconds: float = 0.0
    base_source: str = ""

    @property
    def passed(self) -> bool:
        return bool(self.stages) and not any(stage.red for stage in self.stages)
