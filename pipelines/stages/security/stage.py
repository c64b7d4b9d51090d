"""The stage `security`: dependencies, code, secrets and manifests, side by side."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from itertools import chain

from pipelines.model.check import BROKEN, FAILED, PASSED, Change, Finding, StageResult
from pipelines.model.errors import BadInput
from pipelines.stages.protocol import Options, Workshop
from pipelines.stages.security import report
from pipelines.stages.security.code import judge_code
from pipelines.stages.security.dependencies import POLICY, audit
from pipelines.stages.security.manifests.stage_part import judge_manifests
from pipelines.stages.security.part import Part
from pipelines.stages.security.secrets.stage_part import find_secrets


class SecurityStage:
    """`stages.protocol.Stage`. One part that cannot do its work makes the stage broken, whatever the
    others say; what they found is told all the same."""

    name = "security"

    def touched(self, change: Change) -> bool:
        """By commits too: what one adds and the next takes away leaves no changed file."""
        return change.everything or bool(change.files) or bool(change.commits)

    def inputs(self, change: Change, options: Options) -> Mapping[str, str]:
        """The day is one, since advisories age; of a live answer it is the hour. Raises BadInput when
        the snapshot cannot be read."""
        now = options.now() if options.now else datetime.now(UTC)
        live = options.advisories is None
        return {
            "head": change.head.commit,
            "base": change.base.commit,
            "commits": _digest("\n".join(commit.id for commit in change.commits)),
            "pull_request": _digest(change.pull_request or ""),
            "policy": _digest(change.rules.text(POLICY) or ""),
            "advisories": "live" if live else _file_digest(options),
            "at": now.strftime("%Y-%m-%dT%H" if live else "%Y-%m-%d"),
        }

    def run(self, change: Change, workshop: Workshop) -> StageResult:
        with ThreadPoolExecutor(4) as pool:
            jobs = [
                pool.submit(part, change, workshop)
                for part in (judge_code, find_secrets, audit, judge_manifests)
            ]
            code, secrets, dependencies, manifests = (job.result() for job in jobs)
        parts = (dependencies, code, secrets, manifests)
        findings = tuple(chain.from_iterable(_findings(part) for part in parts))
        return StageResult(
            stage=self.name,
            status=_status(parts),
            summary=report.summary(parts),
            findings=findings,
            samples=sum(part.samples for part in parts),
            document={part.name: dict(part.document) for part in parts},
            observed={key: value for part in parts for key, value in part.observed.items()},
            tools={key: value for part in parts for key, value in part.tools.items()},
            inputs={key: value for part in parts for key, value in part.inputs.items()},
            markdown=report.markdown(parts),
        )


def _status(parts: tuple[Part, ...]) -> str:
    if any(part.broken for part in parts):
        return BROKEN
    return FAILED if any(part.errors for part in parts) else PASSED


def _findings(part: Part) -> tuple[Finding, ...]:
    if not part.broken:
        return part.findings
    return (
        Finding("security/broken", f"{part.name}: {part.broken}", hint=part.hint),
        *part.findings,
    )


def _file_digest(options: Options) -> str:
    assert options.advisories is not None
    try:
        return hashlib.sha256(options.advisories.read_bytes()).hexdigest()
    except OSError as error:
        raise BadInput(
            f"{options.advisories}: the snapshot of advisories cannot be read: {error.strerror}",
            hint="name a .tgz of OSV records: slipway check --advisories FILE",
        ) from None


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()
