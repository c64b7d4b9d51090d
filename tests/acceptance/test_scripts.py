"""The scripts for a tired human: typed in a fresh clone, while what they may lack is away."""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.harness import orders
from tests.harness.fixtures import new_folder
from tests.harness.installation import Installation, clone
from tests.harness.releases import other_release, two_releases
from tests.harness.trouble import asleep, origin_away
from tests.planted.edits import harmless

NOTHING_LISTENS = "http://127.0.0.1:9"
DEAD_PROXIES = {
    name: NOTHING_LISTENS
    for word in ("http_proxy", "https_proxy", "all_proxy")
    for name in (word, word.upper())
}


@pytest.fixture(scope="module")
def fresh(installation: Installation) -> Iterator[Path]:
    """A clone in which nobody ran anything: no `.venv`, no state."""
    import shutil

    folder = new_folder("slipway-fresh-")
    checkout = clone(folder / "checkout")
    yield checkout
    assert not (checkout / ".venv").exists(), "a script made a .venv"
    assert not (checkout / ".slipway").exists(), "a script made a state folder"
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def dev_with_a_way_back(installation: Installation) -> Iterator[None]:
    """Two good releases in the slots of dev; afterwards nothing is held or frozen."""
    row = installation.agreement("dev").row()
    if {row["release"], row["previous_release"]} != set(two_releases(installation)):
        for release in two_releases(installation):
            assert installation.promote("dev", release).code == 0
    installation.agreement("dev").wait(60)
    yield
    installation.run("thaw", "dev", "--reason", "test is over")
    for hold in installation.agreement("dev").branch()["holds"]:
        installation.run("unhold", "dev", hold["release"], "--reason", "test is over")


def run_script(
    installation: Installation, fresh: Path, name: str, *words: str, timeout: float = 120
) -> tuple[str, float]:
    """Output and seconds of `scripts/NAME … --state DIR`; its exit code must be 0."""
    clean = {k: v for k, v in installation.variables().items() if k != "SLIPWAY_STATE"}
    begun = time.monotonic()
    done = subprocess.run(
        [str(fresh / "scripts" / name), *words, "--state", str(installation.state)],
        cwd="/",
        env=clean | {"PATH": os.environ["PATH"]} | DEAD_PROXIES,
        capture_output=True,
        text=True,
        timeout=timeout,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    output = f"{done.stdout}\n{done.stderr}"
    assert done.returncode == 0, f"scripts/{name} {' '.join(words)} → {done.returncode}\n{output}"
    return output, time.monotonic() - begun


@contextmanager
def slot_stopped(installation: Installation, environment: str, slot: str) -> Iterator[None]:
    """Every process of the slot sleeps; those that are still there go on afterwards."""
    stopped = [p for p in installation.processes(environment) if p.slot == slot]
    assert {p.role for p in stopped} >= {"api", "trader"}, stopped
    with asleep(stopped):
        yield


def active_slot(installation: Installation) -> str:
    return str(installation.agreement("dev").row()["slot"])


def test_scripts_freeze_works_without_origin_network_and_database(
    installation: Installation, fresh: Path
) -> None:
    postgres = [p for p in installation.processes("dev") if p.role == "postgres"]
    assert len(postgres) == 1
    with origin_away(installation), asleep(postgres):  # it takes no new connection
        output, seconds = run_script(
            installation, fresh, "freeze", "dev", "--reason", "exchange holiday"
        )
    assert "exchange holiday" in output
    assert seconds < 10
    refused = installation.promote("dev", other_release(installation, "dev"))
    assert refused.code == 1, str(refused)
    assert "exchange holiday" in refused.text


def test_scripts_promote_works_without_network_and_with_the_new_slot_stopped(
    installation: Installation, fresh: Path
) -> None:
    release = installation.release(harmless("by script"), "Leave a mark for the script")
    new = "green" if active_slot(installation) == "blue" else "blue"
    with slot_stopped(installation, "dev", new):
        output, _ = run_script(installation, fresh, "promote", "dev", release, "--reason", "script")
    assert release in output
    installation.agreement("dev").wait(15, release=release)
    assert active_slot(installation) == new


def test_scripts_promote_starts_a_warm_release_again_whose_processes_hang(
    installation: Installation, fresh: Path
) -> None:
    for release in two_releases(installation):
        assert installation.promote("dev", release).code == 0
    new = "green" if active_slot(installation) == "blue" else "blue"
    warm = installation.agreement("dev").branch()["slots"][new]["release"]
    with slot_stopped(installation, "dev", new):
        run_script(installation, fresh, "promote", "dev", warm, "--reason", "script")
    installation.agreement("dev").wait(15, release=warm)
    assert active_slot(installation) == new


def test_scripts_backup_works_without_origin_network_and_the_new_slot(
    installation: Installation, fresh: Path
) -> None:
    with origin_away(installation), slot_stopped(installation, "dev", active_slot(installation)):
        output, _ = run_script(installation, fresh, "backup", "dev", "--reason", "by script")
    taken = installation.ok("backup", "dev", "--list")["backups"][-1]
    assert taken["reason"] == "by script"
    assert taken["name"] in output
    installation.agreement("dev").wait(60)


def test_scripts_restore_works_without_origin_network_and_the_new_slot(
    installation: Installation, fresh: Path
) -> None:
    name = installation.ok("backup", "dev", "--reason", "to go back to")["backup"]["name"]
    release = installation.agreement("dev").row()["release"]
    with origin_away(installation), slot_stopped(installation, "dev", active_slot(installation)):
        output, _ = run_script(
            installation, fresh, "restore", "dev", name, "--reason", "by script", "--yes"
        )
    assert name in output
    installation.agreement("dev").wait(60, release=release)
    order = orders.place(installation, "dev")
    orders.wait_state(
        installation, "dev", order, "SENT", "ACKED", "PARTIALLY_FILLED", "FILLED", seconds=60
    )


def test_scripts_rollback_works_without_origin_network_and_the_new_slot(
    installation: Installation, fresh: Path
) -> None:
    agreement = installation.agreement("dev")
    row = agreement.row()
    with origin_away(installation), slot_stopped(installation, "dev", row["slot"]):
        _, seconds = run_script(installation, fresh, "rollback", "dev", "--reason", "by script")
        assert agreement.version()["release"] == row["previous_release"]
    assert seconds < 15
    agreement.wait(60, release=row["previous_release"])
    assert row["release"] in [hold["release"] for hold in agreement.branch()["holds"]]


def test_a_script_without_an_installation_says_how_to_name_one(fresh: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [str(fresh / "scripts" / "backup"), "dev", "--state", str(tmp_path)],
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={"PATH": os.environ["PATH"]},
    )
    assert done.returncode == 2
    assert str(tmp_path) in done.stderr
    assert "SLIPWAY_STATE" in done.stderr
