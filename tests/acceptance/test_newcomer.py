"""What a newcomer does, in this order, on one installation."""

from __future__ import annotations

import getpass
import http.client
import json
import time

import pytest
import yaml

from tests.harness import orders
from tests.harness.agreement import get_json
from tests.harness.database import query
from tests.harness.installation import ENVIRONMENTS, Installation, git
from tests.planted.edits import values


def post(installation: Installation, environment: str, path: str, body: object) -> tuple[int, dict]:  # type: ignore[type-arg]
    connection = http.client.HTTPConnection("127.0.0.1", installation.port(environment), timeout=5)
    connection.request(
        "POST",
        path,
        body if isinstance(body, bytes) else json.dumps(body).encode(),
        {"Authorization": f"Bearer {installation.token}", "Content-Type": "application/json"},
    )
    answer = connection.getresponse()
    text = answer.read()
    connection.close()
    return answer.status, json.loads(text)


def active(installation: Installation, environment: str) -> str:
    return str(installation.agreement(environment).row()["release"])


# --- 1: make up ------------------------------------------------------------------------------------
def test_make_up_releases_into_three_environments_that_agree(installation: Installation) -> None:
    for environment in ENVIRONMENTS:
        installation.agreement(environment).wait(10)


def test_make_up_ends_with_what_a_newcomer_needs_next(installation: Installation) -> None:
    said = installation.first_up_output
    for environment in ENVIRONMENTS:
        assert f"http://127.0.0.1:{installation.port(environment)}" in said
    assert str(installation.state / "token") in said
    assert "slipway promote" in said


def test_status_as_json_keeps_its_shape(installation: Installation) -> None:
    environments = installation.ok("status")["environments"]
    assert [e["name"] for e in environments] == list(ENVIRONMENTS)
    for environment in environments:
        keys = {"url", "preview_url", "active", "release", "health", "sync", "way_back", "held"}
        assert keys <= set(environment)
        assert set(environment["slots"]) == {"blue", "green"}
        assert {"release", "state"} <= set(environment["slots"][environment["active"]])
        assert environment["health"] == "Healthy"


def test_the_local_origin_starts_at_head_and_refuses_pushes_to_environments(
    installation: Installation,
) -> None:
    for branch in ("main", "develop"):
        commits = git(installation.origin, "rev-list", branch).splitlines()
        assert installation.first_head in commits
    before = git(installation.origin, "rev-parse", "env/dev")
    with pytest.raises(AssertionError, match="env/"):
        git(installation.checkout, "push", "--force", "slipway", "HEAD:refs/heads/env/dev")
    assert git(installation.origin, "rev-parse", "env/dev") == before


def test_a_second_up_is_quick_and_changes_nothing(installation: Installation) -> None:
    before = {e: git(installation.origin, "rev-parse", f"env/{e}") for e in ENVIRONMENTS}
    pids = {p.pid for p in installation.processes()}
    answer = installation.up()
    assert answer.code == 0, str(answer)
    assert answer.seconds < 60
    assert before == {e: git(installation.origin, "rev-parse", f"env/{e}") for e in ENVIRONMENTS}
    assert pids == {p.pid for p in installation.processes()}


def test_doctor_finds_nothing_wrong(installation: Installation) -> None:
    answer = installation.run("doctor")
    assert answer.code == 0, str(answer)


def test_secrets_lie_in_files_for_the_owner_alone(installation: Installation) -> None:
    import psutil

    assert (installation.state / "token").stat().st_mode & 0o077 == 0
    assert installation.state.stat().st_mode & 0o077 == 0
    token = installation.token
    for running in installation.processes():
        process = psutil.Process(running.pid)
        assert token not in " ".join(process.cmdline())
        assert token not in " ".join(process.environ().values())


def test_everything_listens_on_loopback_only(installation: Installation) -> None:
    import psutil

    ours = {p.pid for p in installation.processes()}
    for connection in psutil.net_connections("inet"):
        if connection.pid in ours and connection.status == psutil.CONN_LISTEN:
            assert getattr(connection.laddr, "ip", "") == "127.0.0.1", connection


# --- 2: the console ---------------------------------------------------------------------------------
def test_replayed_data_arrives_and_strategies_trade_on_it(installation: Installation) -> None:
    address = installation.database_uri("dev")
    deadline = time.monotonic() + 60
    counts = {}
    while time.monotonic() < deadline:
        for table in ("bars", "orders", "fills", "equity"):
            counts[table] = query(address, f"select count(*) as n from trading.{table}")[0]["n"]
        if all(counts.values()):
            return
        time.sleep(1)
    raise AssertionError(f"nothing is traded: {counts}")


def test_every_read_needs_the_token(installation: Installation) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", installation.port("dev"), timeout=5)
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        connection.request("GET", "/api/positions", headers=headers)
        answer = connection.getresponse()
        answer.read()
        assert answer.status == 401
    connection.close()
    assert get_json(installation.port("dev"), "/api/positions", installation.token) is not None


# --- 3: a change goes to production -----------------------------------------------------------------
def test_a_changed_parameter_goes_from_commit_to_production(installation: Installation) -> None:
    def faster(document: dict) -> None:  # type: ignore[type-arg]
        document["trading"]["strategies"]["sma-cross"]["parameters"]["fast"] = 6

    values(faster)(installation.checkout)
    refused = installation.run("build")
    assert refused.code in (1, 2), str(refused)
    assert "uncommitted" in refused.text
    commit = installation.commit(lambda _: None, "Make the cross slower")
    release = installation.build()

    answer = installation.ok("promote", "dev")
    assert (answer["environment"], answer["release"]) == ("dev", release)
    assert {"from_slot", "to_slot", "seconds", "switch_seconds", "steps", "result"} <= set(answer)
    assert answer["seconds"] < 60
    difference = installation.run("diff", "production", as_json=False)
    assert difference.code == 0
    assert "fast" in difference.text
    assert installation.ok("promote", "staging")["release"] == release
    without = installation.run("promote", "production")
    assert without.code == 2
    assert "--reason" in without.text
    done = installation.ok("promote", "production", "--reason", "slower cross")
    assert done["release"] == release
    assert 30 <= done["seconds"] < 120  # soak, and what others on this machine take
    for environment in ENVIRONMENTS:
        installation.agreement(environment).wait(10, release=release)
    history = installation.run("history", "production", as_json=False)
    assert "slower cross" in history.text
    branch = installation.agreement("production").branch()
    assert branch["slots"][branch["active"]]["source_commit"] == commit
    rendered = git(
        installation.origin, "show", f"env/production:slots/{branch['active']}/processes.yaml"
    )
    parameters = yaml.safe_load(rendered)["values"]["trading"]["strategies"]["sma-cross"]
    assert parameters["parameters"]["fast"] == 6


def test_promoting_what_is_active_already_is_nothing_to_do(installation: Installation) -> None:
    head = git(installation.origin, "rev-parse", "env/dev")
    answer = installation.run("promote", "dev", active(installation, "dev"))
    assert answer.code == 0, str(answer)
    assert git(installation.origin, "rev-parse", "env/dev") == head


def test_why_names_strategy_release_and_people_of_an_order(installation: Installation) -> None:
    branch = installation.agreement("dev").branch()
    slot, content = branch["active"], branch["slots"][branch["active"]]
    release, commit = content["release"], content["source_commit"]
    rows = orders.wait_for(
        f"an order that sma-cross decided in {release}",
        lambda: query(
            installation.database_uri("dev"),
            "select client_order_id, symbol from trading.orders"
            " where source = 'strategy' and strategy = 'sma-cross' and release = %s"
            " order by created_at desc limit 1",
            release,
        ),
        seconds=90,
    )
    rendered = git(installation.origin, "show", f"env/dev:slots/{slot}/processes.yaml")
    strategy = yaml.safe_load(rendered)["values"]["trading"]["strategies"]["sma-cross"]
    author = git(installation.checkout, "show", "--no-patch", "--format=%an", commit)

    answer = installation.ok("why", rows[0]["client_order_id"])

    assert (answer["environment"], answer["release"]) == ("dev", release)
    assert answer["order"]["client_order_id"] == rows[0]["client_order_id"]
    assert answer["strategy"] == "sma-cross"
    assert strategy["parameters"].items() <= answer["parameters"].items()
    assert answer["signal"]["reason"]
    assert answer["commit"] == answer["release_facts"]["commit"] == commit
    assert author in answer["author"]
    assert author in answer["release_facts"]["author"]
    assert answer["release_facts"]["promoted_by"]
    assert answer["events"][0]["to_state"] == "NEW"
    printed = installation.run("why", rows[0]["client_order_id"], as_json=False)
    for word in ("sma-cross", release, commit, author):
        assert word in printed.out


# --- 4: and back ------------------------------------------------------------------------------------
def test_a_rollback_is_answered_by_the_old_release_and_held_until_somebody_lifts_it(
    installation: Installation,
) -> None:
    row = installation.agreement("production").row()
    bad, old = row["release"], row["previous_release"]
    answer = installation.ok("rollback", "production", "--reason", "orders look wrong")
    assert answer["release"] == old
    assert answer["seconds"] < 60
    installation.agreement("production").wait(10, release=old)
    log = git(installation.origin, "log", "-1", "--format=%B", "env/production")
    assert "revert" in log.lower()
    assert "orders look wrong" in log
    refused = installation.run("promote", "production", bad, "--reason", "again")
    assert refused.code == 1, str(refused)
    assert "orders look wrong" in refused.text
    audit = installation.run("audit", "show", "production")
    assert "orders look wrong" in audit.text
    verified = installation.run("audit", "verify", "production", as_json=False)
    assert verified.code == 0, str(verified)
    assert "whole" in verified.out
    told = next(line for line in verified.out.splitlines() if "orders look wrong" in line)
    assert "rollback" in told
    assert getpass.getuser() in told
    assert installation.run("unhold", "production", bad, "--reason", "it was not").code == 0
    assert installation.run("promote", "production", bad, "--reason", "once more").code == 0


def test_the_script_rolls_back_from_a_fresh_checkout(
    installation: Installation, tmp_path_factory: pytest.TempPathFactory
) -> None:
    import os
    import subprocess

    from tests.harness.installation import clone

    fresh = clone(tmp_path_factory.mktemp("fresh") / "checkout")
    old = installation.agreement("dev").row()["previous_release"]
    done = subprocess.run(
        [str(fresh / "scripts" / "rollback"), "dev", "--reason", "by script"],
        env=installation.variables() | {"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    installation.agreement("dev").wait(10, release=old)
    for hold in installation.agreement("dev").branch()["holds"]:
        installation.run("unhold", "dev", hold["release"], "--reason", "test is over")


def test_a_freeze_stops_promotions_but_no_rollback(installation: Installation) -> None:
    from tests.harness.releases import other_release

    release = other_release(installation, "dev")
    assert installation.promote("dev", release).code == 0
    release = other_release(installation, "dev")
    assert installation.run("freeze", "dev", "--reason", "month end").code == 0
    try:
        refused = installation.promote("dev", release)
        assert refused.code == 1
        assert "month end" in refused.text
        assert installation.run("rollback", "dev", "--reason", "frozen").code == 0
    finally:
        assert installation.run("thaw", "dev", "--reason", "over").code == 0
    for hold in installation.agreement("dev").branch()["holds"]:
        installation.run("unhold", "dev", hold["release"], "--reason", "test is over")
    installation.agreement("dev").wait(15)


def test_a_backup_is_verified_and_listed_with_its_reason(installation: Installation) -> None:
    made = installation.ok("backup", "dev", "--reason", "before a risky day")["backup"]
    assert made["reason"] == "before a risky day"
    assert made["bytes"] > 1_000_000
    listed = installation.ok("backup", "dev", "--list")["backups"]
    assert made in listed
    assert installation.ok("audit", "show", "dev")["entries"][-1]["result"] == "verified"
