"""CODEOWNERS as GitHub reads it: the last line that fits counts, also one without owners."""

from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.model.errors import BadInput
from policies import codeowners

OURS = Path(__file__).resolve().parents[3] / ".github/CODEOWNERS"
TEXT = """
*                    @all            # everything
*.js                 @web
/build/logs/         @builders
docs/*               docs@example.com
apps/                @octocat
/scripts/**/x.py     @org/team-a
/app/**              @deep
/app/free/
"""


@pytest.mark.parametrize(
    ("path", "owners"),
    [
        ("README.md", ("@all",)),
        ("a/b/c.js", ("@web",)),
        ("build/logs/a/b.txt", ("@builders",)),
        ("x/build/logs/a.txt", ("@all",)),
        ("docs/start.md", ("docs@example.com",)),
        ("docs/build/app.md", ("@all",)),
        ("deep/apps/a.py", ("@octocat",)),
        ("scripts/x.py", ("@org/team-a",)),
        ("scripts/a/b/x.py", ("@org/team-a",)),
        ("app/a/b.py", ("@deep",)),
        ("app/free/a.py", ()),
        ("application/a.py", ("@all",)),
    ],
)
def test_a_path_has_the_owners_of_the_last_line_that_fits(
    path: str, owners: tuple[str, ...]
) -> None:
    assert codeowners.parse(TEXT).of(path) == owners


@pytest.mark.parametrize(
    "line", ["* nobody", "* @", "!a @b", "[ab].py @b", "a\\ b @c", "* @a/b/c", "* @ünicode"]
)
def test_what_github_would_skip_is_refused_with_its_line(line: str) -> None:
    with pytest.raises(BadInput, match="line 2"):
        codeowners.parse(f"# ours\n{line}\n")


def test_an_empty_file_owns_nothing() -> None:
    assert codeowners.parse("\n# nobody\n").of("a") == ()


@pytest.mark.parametrize(
    ("path", "owner"),
    [
        ("app/trading/strategies/momentum/__init__.py", "@quant-experts"),
        ("app/tests/strategies/momentum/test_momentum.py", "@quant-experts"),
        ("policies/promotion/policy.yaml", "@governance"),
        (".github/CODEOWNERS", "@governance"),
        ("environments/production/environment.yaml", "@release-owners"),
        ("pipelines/engine/decide.py", "@maintainers"),
    ],
)
def test_ours_names_who_knows_a_path(path: str, owner: str) -> None:
    assert owner in codeowners.parse(OURS.read_text()).of(path)


def test_every_folder_that_ours_names_is_there() -> None:
    root = OURS.parents[1]
    rules = codeowners.parse(OURS.read_text()).rules
    missing = [r.pattern for r in rules if r.pattern != "*" and not (root / r.pattern[1:]).exists()]
    assert missing == ["/docs/strategies.md"] or missing == []
