"""Two installations on one machine, and checkouts that are not as tidy as a fresh clone."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.installation import ENVIRONMENTS, Installation, borrowed, git


def test_a_second_installation_elsewhere_touches_nothing_of_the_first(
    installation: Installation, tmp_path: Path
) -> None:
    tmp_path.chmod(0o755)
    before = {p.pid for p in installation.processes()}
    second = Installation(
        installation.checkout, tmp_path / "second", command=borrowed(installation)
    )
    try:
        answer = second.run(
            "up", "--state", str(second.state), "--base-port", str(second.base_port), timeout=400
        )
        assert answer.code == 0, str(answer)
        for environment in ENVIRONMENTS:
            second.agreement(environment).wait(15)
            installation.agreement(environment).wait(15)
        assert second.token != installation.token
        assert not second.down()
        assert before <= {p.pid for p in installation.processes()}
    finally:
        second.remove()


@pytest.mark.timeout(600)
def test_up_works_from_a_dirty_shallow_detached_checkout_under_a_long_path_without_an_identity(
    installation: Installation, tmp_path: Path
) -> None:
    tmp_path.chmod(0o755)
    deep = tmp_path / ("long" * 20) / ("path" * 20)
    deep.mkdir(parents=True)
    source = f"file://{installation.checkout}"
    git(deep, "clone", "--quiet", "--depth", "1", source, "checkout")
    checkout = deep / "checkout"
    git(checkout, "checkout", "--quiet", "--detach")
    (checkout / "app" / "trading" / "__init__.py").write_text('"""Dirty."""\n')
    other = Installation(checkout, checkout / ".slipway", command=borrowed(installation))
    nobody = {
        "GIT_AUTHOR_NAME": "", "GIT_AUTHOR_EMAIL": "", "GIT_COMMITTER_NAME": "",
        "GIT_COMMITTER_EMAIL": "", "GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_SYSTEM": "/dev/null",
    }  # fmt: skip
    try:
        answer = other.run(
            "up", "--base-port", str(other.base_port), timeout=400, variables=nobody, as_json=False
        )
        assert answer.code == 0, str(answer)
        assert "1 uncommitted changes are not released" in answer.text
        other.agreement("dev").wait(15)
        branch = other.agreement("dev").branch()
        released = branch["slots"][branch["active"]]["source_commit"]
        assert released == git(checkout, "rev-parse", "HEAD")
    finally:
        other.remove()
