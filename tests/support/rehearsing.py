"""Changes with migrations, as trees on disk, and a workshop in which the stage judges them."""

from __future__ import annotations

import hashlib
import shutil
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from pipelines.adapters.programs import LocalPrograms
from pipelines.model.check import Change, ChangedFile, StageResult, Tree
from pipelines.stages.migrations import MigrationsStage
from pipelines.stages.protocol import Environments, Options, Workshop
from pipelines.stages.rehearsal_protocol import BackupCopy, Rehearsals

ROOT = Path(__file__).resolve().parents[2]
VERSIONS = "app/trading/migrations/versions/"
POLICY = "policies/migrations/policy.yaml"
BUSY = "migrations/busy"
BUSY_TRIES, BUSY_SECONDS = 6, 5.0
PARTS = ("app", "environments", "policies")
_LEFT_OUT = shutil.ignore_patterns(
    "__pycache__", ".venv", "*.egg-info", "tests", ".*_cache", "node_modules"
)

SCRIPT = '''"""{message}"""

from alembic import op

revision = "{revision}"
down_revision = {down_revision!r}
kind = "{kind}"
TRANSACTIONAL = {transactional}

UP = """
{up}
"""

DOWN = """
{down}
"""


def upgrade() -> None:
    op.execute(UP)


def downgrade() -> None:
    op.execute(DOWN)
'''


@dataclass(frozen=True)
class Migration:
    """The text of a script is `str()` of it."""

    up: str
    down: str
    revision: str = "r0003"
    down_revision: str | None = "r0002"
    kind: str = "expand"
    transactional: bool = True
    message: str = "A change for a test."

    def __str__(self) -> str:
        return SCRIPT.format(**vars(self))

    @property
    def file(self) -> str:
        return f"{VERSIONS}{self.revision}_test.py"


NOTE = Migration(
    "alter table trading.orders add column note text;",
    "alter table trading.orders drop column note;",
)
INDEX = Migration(
    "create index concurrently if not exists orders_symbol on trading.orders (symbol, state);",
    "drop index if exists trading.orders_symbol;",
    revision="r0004",
    down_revision="r0003",
    transactional=False,
)


def make_tree(folder: Path, changes: Mapping[str, str | None]) -> Tree:
    """This repository's parts with changes on top; None deletes."""
    for part in PARTS:
        shutil.copytree(ROOT / part, folder / part, ignore=_LEFT_OUT)
    for path, text in changes.items():
        file = folder / path
        if text is None:
            file.unlink()
        else:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    objects = {part: _digest(folder / part) for part in PARTS}
    return Tree(hashlib.sha256(str(objects).encode()).hexdigest()[:40], folder, objects)


def _digest(folder: Path) -> str:
    found = hashlib.sha256()
    for file in sorted(p for p in folder.rglob("*") if p.is_file()):
        found.update(f"{file.relative_to(folder)}\0".encode() + file.read_bytes())
    return found.hexdigest()[:40]


def policy(**values: object) -> dict[str, str]:
    """The policy of the branch a merge goes to, with other values, as a file of its tree."""
    lines = (ROOT / POLICY).read_text().splitlines()
    for key, value in values.items():
        at = next(n for n, line in enumerate(lines) if line.startswith(f"  {key}:"))
        del lines[at]
        while at < len(lines) and lines[at].startswith("    -"):
            del lines[at]
        lines.insert(at, f"  {key}: {value}")
    return {POLICY: "\n".join(lines) + "\n"}


@dataclass
class Bench:
    """One place in which changes are judged."""

    folder: Path
    environments: Environments
    rehearsals: Rehearsals | None = None
    said: list[str] = field(default_factory=list)
    _number: int = 0

    def change(
        self,
        head: Mapping[str, str | None],
        *,
        base: Mapping[str, str | None] | None = None,
        target: Mapping[str, str | None] | None = None,
        branch: str = "feature/platform-test",
        everything: bool = False,
    ) -> Change:
        """`head` on top of `base`; `target` on top of it too, where the target has moved on."""
        self._number += 1
        place = self.folder / f"change{self._number}"
        below = dict(base or {})
        trees = {
            "base": make_tree(place / "base", below),
            "head": make_tree(place / "head", below | dict(head)),
        }
        if target is not None:
            trees["rules"] = make_tree(place / "rules", below | dict(target))
        files = tuple(
            ChangedFile(path, "D" if text is None else "A") for path, text in head.items()
        )
        rules = trees.get("rules", trees["base"])
        return Change(
            branch, "develop", trees["head"], trees["base"], rules, files, everything=everything
        )

    def judge(self, change: Change, backup: BackupCopy | None = None) -> StageResult:
        """Tried again as the stage says, while the machine is too busy to tell."""
        for _ in range(BUSY_TRIES):
            with self.workshop(Options(backup=backup)) as workshop:
                result = MigrationsStage().run(change, workshop)
            if BUSY not in rules_of(result):
                break
            time.sleep(BUSY_SECONDS)
        return result

    @contextmanager
    def workshop(self, options: Options) -> Iterator[Workshop]:
        self._number += 1
        place = self.folder / f"work{self._number}"
        for name in ("tmp", "work", "reports"):
            (place / name).mkdir(parents=True)
        programs = LocalPrograms(place / "tmp")
        try:
            yield Workshop(
                programs=programs,
                environments=self.environments,
                folder=place / "work",
                reports=place / "reports",
                now=lambda: datetime.now(UTC),
                options=options,
                say=self.said.append,
                rehearsals=self.rehearsals,
            )
        finally:
            programs.close()


def rules_of(result: StageResult, severity: str = "error") -> set[str]:
    return {finding.rule for finding in result.findings if finding.severity == severity}


def words_of(result: StageResult) -> str:
    return "\n".join(f"{finding.message} {finding.hint}" for finding in result.findings)
