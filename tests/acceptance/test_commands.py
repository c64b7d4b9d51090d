"""Commands that answer, or change a little: that they do what their help says."""

from __future__ import annotations

from typing import Any

from tests.harness.installation import ENVIRONMENTS, Installation, git
from tests.harness.releases import other_release

STEP_NAMES = ["guard", "backup", "migrate", "stage", "verify", "switch", "analyse", "confirm"]


def audit_length(installation: Installation, environment: str) -> int:
    return len(installation.ok("audit", "show", environment, "--limit", "100000")["entries"])


def everything(installation: Installation, environment: str) -> dict[str, Any]:
    """What a command that only looks must leave alone."""
    return {
        "heads": {e: git(installation.origin, "rev-parse", f"env/{e}") for e in ENVIRONMENTS},
        "row": installation.agreement(environment).row(),
        "audit": audit_length(installation, environment),
        "history": installation.ok("history", environment),
    }


def test_a_dry_run_prints_the_plan_and_changes_nothing(installation: Installation) -> None:
    release = other_release(installation, "dev")
    installation.agreement("dev").wait(30)
    active = installation.agreement("dev").row()
    before = everything(installation, "dev")
    plan = installation.ok("promote", "dev", release, "--dry-run")
    text = installation.run("promote", "dev", release, "--dry-run", as_json=False)
    assert everything(installation, "dev") == before
    assert (plan["environment"], plan["release"]) == ("dev", release)
    assert plan["from_slot"] == active["slot"] != plan["to_slot"]
    assert plan["digest"].startswith("sha256:")
    actions = [item["action"] for item in plan["items"]]
    assert {"stage", "switch"} <= set(actions)
    assert [name for name in STEP_NAMES if name in actions] == actions
    assert text.code == 0, str(text)
    for item in plan["items"]:
        assert item["change"] in text.out
    assert plan["way_back"]
    assert plan["way_back"] in text.out


def test_a_dry_run_for_production_changes_nothing_either(installation: Installation) -> None:
    release = other_release(installation, "production")
    installation.agreement("production").wait(30)
    before = everything(installation, "production")
    assert installation.ok("promote", "production", release, "--dry-run")["release"] == release
    assert everything(installation, "production") == before


def test_a_promotion_as_json_names_every_step_with_status_and_seconds(
    installation: Installation,
) -> None:
    release = other_release(installation, "dev")
    steps = installation.ok("promote", "dev", release, "--reason", "its steps")["steps"]
    assert [step["name"] for step in steps] == STEP_NAMES
    for step in steps:
        assert set(step) == {"name", "status", "seconds"}
        assert step["status"] in ("done", "skipped"), step
        assert 0 <= step["seconds"] < 60
    assert {s["name"]: s["status"] for s in steps}["switch"] == "done"
    installation.agreement("dev").wait(15, release=release)


def test_a_held_release_stays_out_until_the_hold_is_lifted(installation: Installation) -> None:
    installation.agreement("dev").wait(30)
    active = installation.agreement("dev").row()["release"]
    release = other_release(installation, "dev")
    held = installation.ok("hold", "dev", release, "--reason", "drifts from its record")
    try:
        assert (held["action"], held["release"], held["changed"]) == ("hold", release, True)
        assert held["commit"] == git(installation.origin, "rev-parse", "env/dev")
        holds = {h["release"]: h for h in installation.agreement("dev").branch()["holds"]}
        assert holds[release]["reason"] == "drifts from its record"
        again = installation.ok("hold", "dev", release, "--reason", "twice")
        assert (again["changed"], again["commit"]) == (False, None)
        refused = installation.promote("dev", release)
        assert refused.code == 1, str(refused)
        assert "drifts from its record" in refused.text
        installation.agreement("dev").wait(15, release=active)
    finally:
        lifted = installation.ok("unhold", "dev", release, "--reason", "it does not")
    assert lifted["changed"] is True
    assert installation.promote("dev", release).code == 0


def test_lock_status_names_the_controller_that_acts(installation: Installation) -> None:
    for environment in ENVIRONMENTS:
        lock = installation.ok("lock", "status", environment)["lock"]
        controllers = [p.pid for p in installation.processes(environment) if p.role == "controller"]
        assert lock["holder"] == f"controller {environment}"
        assert lock["pid"] in controllers
        assert lock["alive"] is True
        assert lock["token"] > 0
    said = installation.run("lock", "status", "dev", as_json=False)
    assert said.code == 0
    assert "alive" in said.out


def test_logs_gives_the_last_lines_of_the_processes_asked_for(installation: Installation) -> None:
    logs = {one["file"]: one["lines"] for one in installation.ok("logs", "dev")["logs"]}
    for process in ("api", "trader", "venue", "controller", "postgres"):
        assert any(process in file.rpartition("/")[2] for file in logs), (process, list(logs))
    slot = installation.agreement("dev").row()["slot"]
    words = ("logs", "dev", "--slot", slot, "--process", "trader", "--lines", "3")
    narrow = installation.ok(*words)["logs"]
    assert narrow
    for one in narrow:
        assert f"/slots/{slot}/" in one["file"]
        assert 0 < len(one["lines"]) <= 3
    printed = installation.run(*words, as_json=False)
    assert printed.code == 0
    assert narrow[0]["file"] in printed.out
    nothing = installation.run("logs", "dev", "--process", "nonesuch", as_json=False)
    assert "no such log" in nothing.err


def test_releases_lists_every_build_newest_first_with_its_commit_and_author(
    installation: Installation,
) -> None:
    from tests.planted.edits import harmless

    made = installation.release(harmless("for the list"), "Leave a mark for the list")
    rows = installation.ok("releases")["releases"]
    newest = rows[0]
    assert newest["release"] == made
    assert newest["commit"] == git(installation.checkout, "rev-parse", "HEAD")[:12]
    assert newest["author"].startswith("Ada Tester")
    assert newest["subject"] == "Leave a mark for the list"
    assert [row["built_at"] for row in rows] == sorted((r["built_at"] for r in rows), reverse=True)
    active = {installation.agreement(e).row()["release"] for e in ENVIRONMENTS}
    assert active <= {row["release"] for row in rows}
