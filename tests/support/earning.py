"""A small origin with the shipped policies, a ledger, and a release that asks to be promoted."""

from __future__ import annotations

import shutil
from copy import copy
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, cast

from pipelines.adapters.evidence_files import FileShelf
from pipelines.adapters.git import GitOrigin, init_origin
from pipelines.adapters.git_source import GitSource
from pipelines.adapters.signing import FileKeys
from pipelines.adapters.sqlite import open_records
from pipelines.engine.guard import guard
from pipelines.flows.context import Context
from pipelines.flows.earning import earned
from pipelines.model.branch import BranchState
from pipelines.model.evidence import (
    APPROVAL,
    CHECK,
    CHECK_RUNNER,
    PERSON,
    SOAK,
    environment_role,
)
from pipelines.model.live import MigrationStatus
from pipelines.model.release import ENVIRONMENTS, Application, Release
from pipelines.model.slots import Slot, SlotContent
from pipelines.model.source import source_digest
from pipelines.records.evidence import Ledger
from tests.support.tiny_application import TinyApplication

REPOSITORY = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 3, 4, 12, 0, tzinfo=UTC)
GATES = ("policy", "quality", "strategy", "security", "migrations", "render")
NONE_PENDING = MigrationStatus(("m1",), (), (), ())


class Asking:
    """`why(environment)` is what a promotion there is told; empty when nothing is in its way."""

    def __init__(self, folder: Path, like: Asking | None = None) -> None:
        """`like`: begin with a copy of that one, which is quicker."""
        self.state = folder / "state"
        if like is None:
            self._make(folder)
        else:
            shutil.copytree(like.app.folder.parent, folder, dirs_exist_ok=True)
            self.app = copy(like.app)
            self.app.folder = folder / "checkout"
        self.said_at = NOW - timedelta(hours=1)
        self.now = NOW
        self.release = self.release_of(self.app.head, "r-00000000000000aa")
        self.source = source_digest(self.release.parts)

    def _make(self, folder: Path) -> None:
        self.app = TinyApplication(folder / "checkout")
        for rule in ("promotion", "freeze_windows"):
            self.policy(rule, (REPOSITORY / "policies" / rule / "policy.yaml").read_text())
        self.app.head = self.app.commit("Add policies")
        init_origin(self.state, self.app.folder)
        FileKeys(self.state).enrol("ada", ENVIRONMENTS)

    # --- the origin ------------------------------------------------------------------------------
    def policy(self, rule: str, text: str) -> None:
        self.app.write(f"policies/{rule}/policy.yaml", text)

    def move_main(self, subject: str) -> None:
        """What the checkout holds becomes `main` and `develop` of the origin."""
        self.app.head = self.app.commit(subject)
        assert init_origin(self.state, self.app.folder).moved

    def release_of(self, commit: str, identity: str) -> Release:
        names = ("app", "environments")
        parts = {name: "git:" + self.app.git("rev-parse", f"{commit}:{name}") for name in names}
        return Release(
            *(identity, "2", commit, "", "", "", "", ""),
            parts=parts,
            migrations=("m1",),
            strategies={},
            application=Application("", "", (), (), {}),
            values={},
        )

    # --- evidence --------------------------------------------------------------------------------
    def ledger(self, state: Path | None = None) -> Ledger:
        where = state or self.state
        return Ledger(FileKeys(where), FileShelf(where), lambda: self.said_at.isoformat())

    def check(self, stage: str, status: str = "passed", source: str = "") -> None:
        self.ledger().say(
            CHECK,
            source or self.source,
            {"stage": stage, "status": status, "summary": "", "samples": 3, "document": {}},
            role=CHECK_RUNNER,
            signer=CHECK_RUNNER,
        )

    def soak(self, **changed: Any) -> None:
        predicate = {
            "environment": "staging",
            "release": self.release.id,
            "operation": "promotion-1",
            "soak_seconds": 30.4,
            "confirmed_at": self.said_at.isoformat(),
            "shadow": {"ok": True, "samples": 60, "message": ""},
        }
        predicate |= changed
        speaker = str(changed.get("environment", "staging"))
        self.ledger().say(
            SOAK,
            self.source,
            predicate,
            role=environment_role(speaker),
            signer=speaker,
            release=self.release.id,
        )

    def approve(self) -> None:
        predicate = {"branch": "feature/x", "actor": "ada", "self_approval": True}
        self.ledger().say(APPROVAL, self.source, predicate, role=PERSON, signer="ada")

    def earn_everything(self) -> None:
        for stage in GATES:
            self.check(stage)
        self.soak()
        self.approve()

    # --- asking ----------------------------------------------------------------------------------
    def context(self, environment: str) -> Context:
        nothing = cast(Any, None)
        return Context(
            environment=environment,
            state=self.state,
            records=open_records(self.state, environment),
            target=nothing,
            origin=GitOrigin(self.state / "origin.git"),
            store=nothing,
            settings=nothing,
            evidence=self.ledger,
            source=lambda: GitSource(self.state / "origin.git"),
            sibling=self.context,
            wake=lambda: False,
            actor="ada",
            now=lambda: self.now,
        )

    def why(
        self,
        environment: str = "production",
        *,
        kind: str = "promotion",
        first: bool = False,
        release: Release | None = None,
        pending: tuple[str, ...] = (),
    ) -> list[str]:
        asked = release or self.release
        content = SlotContent(asked.id, asked.version, asked.source_commit)
        state = BranchState(
            environment=environment,
            active=Slot.GREEN,
            slots={Slot.BLUE: None, Slot.GREEN: content},
            holds=(),
            kind=kind,
            reason="",
            actor="ada",
            operation="promotion-99",
            at="",
            audit_head="",
        )
        migrations = MigrationStatus(("m1",), pending, (), ())
        checks = guard(
            state,
            asked,
            freeze=None,
            migrations=migrations,
            earned=earned(
                self.context(environment), state, asked, first=first, migrations=migrations
            ),
        )
        return [check.message for check in checks if not check.ok]

    def forget_evidence(self) -> None:
        shutil.rmtree(self.state / "evidence")
