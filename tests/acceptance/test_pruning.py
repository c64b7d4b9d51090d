"""Old releases go; what a slot names stays."""

from __future__ import annotations

import json

from tests.harness.installation import Installation, git
from tests.planted.edits import harmless


def test_a_build_removes_releases_that_nobody_can_go_back_to(installation: Installation) -> None:
    head = git(installation.checkout, "rev-parse", "HEAD")
    unused = installation.release(harmless("never promoted"), "A release nobody wants")
    active = installation.agreement("dev").row()["release"]
    for name in (unused, active):
        make_old(installation, name)
    answer = installation.ok("build")
    assert answer["pruned"] == [], "what was just asked for stays, however old"
    git(installation.checkout, "reset", "--quiet", "--hard", head)
    installation.commit(harmless("a newer one"), "A newer release")
    answer = installation.ok("build")
    git(installation.checkout, "reset", "--quiet", "--hard", head)
    assert answer["pruned"] == [unused]
    assert not (installation.state / "releases" / unused).exists()
    assert (installation.state / "releases" / active).exists()
    assert "prune" in installation.run("audit", "show", "dev").text
    installation.agreement("dev").wait(10, release=active)
    refused = installation.run("promote", "dev", unused)
    assert refused.code in (1, 2), str(refused)
    assert unused in refused.text


def make_old(installation: Installation, release: str) -> None:
    path = installation.state / "releases" / release / "manifest.json"
    manifest = json.loads(path.read_text())
    path.chmod(0o644)
    path.write_text(json.dumps(manifest | {"built_at": "2020-01-01T00:00:00+00:00"}))
