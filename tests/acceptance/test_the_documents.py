"""README and guides, typed as they stand: a strategy goes from an empty file to production.

One installation with the policies that everybody gets; only production's soak is shorter. The pages are
taken in the order in which a person reads them, so each test goes on where the one before stopped.
"""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness import advisories
from tests.harness.fixtures import begin, new_folder
from tests.harness.installation import Installation, clone, git
from tests.harness.person import Person

SOAK_SECONDS = 5


def a_shorter_soak(checkout: Path) -> None:
    """In production; staging's is what the policy asks for."""
    file = checkout / "environments" / "production" / "environment.yaml"
    file.write_text(re.sub(r"soak_seconds: \d+", f"soak_seconds: {SOAK_SECONDS}", file.read_text()))


@pytest.fixture(scope="module")
def person() -> Iterator[Person]:
    root = new_folder("slipway-accept-")
    checkout = clone(root / "checkout")
    made = begin(Installation(checkout, checkout / ".slipway"), strict=True)
    made.first_head = made.commit(a_shorter_soak, "Wait less in tests")
    try:
        code, output, _ = made.make_up()
        assert code == 0, output
        git(checkout, "fetch", "--quiet", "slipway")
        advisories.install(made.state)
        yield Person(made)
    finally:
        left = made.down()
        shutil.rmtree(made.runtime, ignore_errors=True)
        shutil.rmtree(root, ignore_errors=True)
    assert not left


def release_in(person: Person, environment: str) -> str:
    return str(person.installation.agreement(environment).row()["release"])


def test_a_strategy_is_written_and_examined_as_the_guide_says(person: Person) -> None:
    said = person.follow("docs/strategies.md")
    assert "breakout" in said


def test_it_is_checked_approved_and_merged_and_runs_in_dev(person: Person) -> None:
    before = release_in(person, "dev")
    said = person.follow("docs/branch-strategy.md")
    assert "feature/quant-strategy-breakout: ok" in said
    assert release_in(person, "dev") != before
    on_develop = git(person.installation.origin, "ls-tree", "-r", "--name-only", "develop")
    assert "app/trading/strategies/breakout/__init__.py" in on_develop.splitlines()


def test_the_same_release_reaches_production_and_lands_on_main(person: Person) -> None:
    release = release_in(person, "dev")
    person.follow("docs/release-process.md", "From develop to production")
    assert release_in(person, "staging") == release_in(person, "production") == release
    origin = person.installation.origin
    assert git(origin, "rev-parse", "v0.1.0^{commit}") == git(origin, "rev-parse", "main")
    assert "breakout" in git(origin, "show", "main:CHANGELOG.md")
    git(origin, "merge-base", "--is-ancestor", "main", "develop")


def test_a_hotfix_passes_staging_by_and_lands_on_main_too(person: Person) -> None:
    staging = release_in(person, "staging")
    person.follow("docs/release-process.md", "A hotfix")
    assert release_in(person, "staging") == staging != release_in(person, "production")
    origin = person.installation.origin
    assert git(origin, "rev-parse", "v0.1.1^{commit}") == git(origin, "rev-parse", "main")
    assert "40000" in git(origin, "show", "develop:environments/production/values.yaml")


def test_one_command_goes_back_and_history_stays(person: Person) -> None:
    bad = release_in(person, "production")
    person.follow("docs/release-process.md", "The way back")
    assert release_in(person, "production") != bad
    status = person.installation.ok("status")["environments"]
    assert bad in str(next(e for e in status if e["name"] == "production")["held"])
    assert git(person.installation.origin, "rev-parse", "v0.1.1^{commit}")


def test_the_tour_of_the_readme_takes_a_parameter_there_and_back(person: Person) -> None:
    person.type("git switch --quiet --no-track -c develop slipway/develop")
    person.type("git pull --quiet --ff-only slipway develop")
    before = release_in(person, "production")
    person.follow("README.md", "One change, from branch to production")
    assert release_in(person, "production") == before != release_in(person, "staging")
    origin = person.installation.origin
    assert "fast: 6" in git(origin, "show", "main:environments/base/values.yaml")
    assert git(origin, "tag", "--list").split() == ["v0.1.0", "v0.1.1", "v0.1.2"]
