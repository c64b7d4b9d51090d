"""Small changes to a checkout of the application, written so that they survive its next version.

Code is appended to a module and replaces one of its names; nothing is cut out of existing text,
so an edit only breaks when the name itself goes.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import yaml

Edit = Callable[[Path], None]
PACKAGE = Path("app/trading")
VERSIONS = PACKAGE / "migrations" / "versions"


def append(module: str, code: str) -> Edit:
    """Add code at the end of `app/trading/<module>`."""

    def edit(checkout: Path) -> None:
        path = checkout / PACKAGE / module
        path.write_text(f"{path.read_text()}\n\n{dedent(code).strip()}\n")

    return edit


def harmless(mark: str) -> Edit:
    """Another artifact that behaves the same."""

    def edit(checkout: Path) -> None:
        (checkout / PACKAGE / "mark.py").write_text(f'"""A mark."""\n\nMARK = "{mark}"\n')

    return edit


def both(*edits: Edit) -> Edit:
    def edit(checkout: Path) -> None:
        for one in edits:
            one(checkout)

    return edit


def migration(up: str, down: str = "select 1", *, kind: str = "expand") -> Edit:
    """One more revision after the newest one."""

    def edit(checkout: Path) -> None:
        newest = max(path.stem for path in (checkout / VERSIONS).glob("r[0-9]*.py"))
        before = re.match(r"r(\d+)", newest)
        assert before is not None
        revision = f"r{int(before[1]) + 1:04d}"
        (checkout / VERSIONS / f"{revision}_planted.py").write_text(
            dedent(
                f'''
                """A planted revision."""

                from alembic import op

                revision = "{revision}"
                down_revision = "r{before[1]}"
                branch_labels = None
                depends_on = None
                kind = "{kind}"

                UP = """
                {up};
                """

                DOWN = """
                {down};
                """


                def upgrade() -> None:
                    op.execute(UP)


                def downgrade() -> None:
                    op.execute(DOWN)
                '''
            ).lstrip()
        )

    return edit


def open_promotion(checkout: Path) -> None:
    """Every environment takes any build: for tests whose subject is not what a release has earned."""
    path = checkout / "policies" / "promotion" / "policy.yaml"
    document = yaml.safe_load(path.read_text())
    for rule in document["data"]["environments"].values():
        rule |= {"from": ["*"], "demands": []}
        rule.pop("hotfix", None)
    path.write_text(yaml.safe_dump(document, sort_keys=False))


def values(change: Callable[[dict[str, object]], None], where: str = "base") -> Edit:
    """Change `environments/<where>/values.yaml`."""

    def edit(checkout: Path) -> None:
        path = checkout / "environments" / where / "values.yaml"
        document = yaml.safe_load(path.read_text()) or {}
        change(document)
        path.write_text(yaml.safe_dump(document, sort_keys=False))

    return edit
