"""Whole ledgers in a folder: keys, shelf, and some twenty things said about a release."""

from __future__ import annotations

from pathlib import Path

from pipelines.adapters.evidence_files import FileShelf
from pipelines.adapters.signing import FileKeys
from pipelines.model.check import STAGES
from pipelines.model.evidence import (
    APPROVAL,
    CHECK,
    CHECK_RUNNER,
    MERGE,
    PERSON,
    SOAK,
    VERSION,
    environment_role,
)
from pipelines.records.evidence import Ledger

SOURCE, OTHER_SOURCE = "ab" * 32, "cd" * 32
RELEASE = "r-0123456789abcdef"
ENVIRONMENTS = ("dev", "staging", "production")
NOW = "2026-03-02T10:00:00.000+00:00"


def ledger(state: Path) -> Ledger:
    """A ledger of an installation whose keys are enrolled for Ada."""
    keys = FileKeys(state)
    keys.enrol("ada", ENVIRONMENTS)
    return Ledger(keys, FileShelf(state), lambda: NOW)


def say_much(evidence: Ledger, source: str = SOURCE) -> int:
    """Everything that is said on the way of a change; returns how many statements there are."""
    said = 0
    for target in ("develop", "main"):
        for stage in STAGES:
            evidence.say(
                CHECK,
                source,
                {
                    "stage": stage,
                    "status": "passed",
                    "summary": f"{stage} looked at 12 files",
                    "samples": 12,
                    "document": {"findings": [], "files": [f"file {n}" for n in range(40)]},
                    "tools": {"ruff": "0.15.1"},
                    "inputs": {"app": "git:" + "0" * 40},
                    "commit": "1" * 40,
                    "target": target,
                },
                role=CHECK_RUNNER,
                signer=CHECK_RUNNER,
            )
            said += 1
    for kind in (APPROVAL, MERGE, VERSION):
        predicate = {"branch": "feature/quant-x", "commit": "1" * 40, "actor": "ada"}
        evidence.say(kind, source, predicate, role=PERSON, signer="ada", release=RELEASE)
        said += 1
    for environment in ENVIRONMENTS:
        for operation in ("one", "two"):
            evidence.say(
                SOAK,
                source,
                {"environment": environment, "release": RELEASE, "operation": operation},
                role=environment_role(environment),
                signer=environment,
                release=RELEASE,
            )
            said += 1
    return said
