"""`down` ends everything: also what was started by somebody who was killed."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.cluster import cgroups, lifecycle, processes
from tests.cluster.folder import Facts, Folder

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder() -> Iterator[Folder]:
    made = Folder(Path("/tmp") / f"slipway-{uuid.uuid4().hex[:8]}")
    yield made
    lifecycle.down(made)


def _command(folder: Folder, *words: str) -> subprocess.Popen[str]:
    variables = {name: value for name, value in os.environ.items() if name != "KUBECONFIG"}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.cluster", *words],
        cwd=ROOT,
        env={**variables, "CLUSTER_DIR": str(folder.path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )


def _left(folder: Folder, facts: Facts) -> dict[str, object]:
    """What is still on this machine of that cluster."""
    routes = subprocess.run(["ip", "route"], capture_output=True, text=True, check=True).stdout
    rules = subprocess.run(["iptables-save"], capture_output=True, text=True, check=False).stdout
    mounts = Path("/proc/self/mounts").read_text("utf-8")
    found = {
        "processes": [process.pid for process in processes.marked(folder)],
        "pods": [p.pid for p in psutil.process_iter() if _of_node(p, facts)],
        "links": (Path("/sys/class/net") / facts.link).exists(),
        "routes": facts.pods in routes or facts.services in routes,
        "rules": "KUBE-" in rules or Path("/sys/class/net/cni0").exists(),
        "mounts": str(folder.path) in mounts,
        "cgroups": cgroups.standing(facts.cgroup),
        "folder": folder.path.exists(),
    }
    return {name: what for name, what in found.items() if what}


def _of_node(process: psutil.Process, facts: Facts) -> bool:
    try:
        return f"/{facts.cgroup}/" in Path(f"/proc/{process.pid}/cgroup").read_text("utf-8")
    except OSError:
        return False


def test_down_leaves_no_process_mount_link_rule_or_group(folder: Folder) -> None:
    up = _command(folder, "up")
    said, _ = up.communicate(timeout=180)
    assert up.returncode == 0, said
    facts = folder.facts()
    assert facts is not None
    assert set(_left(folder, facts)) >= {
        "processes",
        "pods",
        "links",
        "routes",
        "cgroups",
        "folder",
    }
    down = _command(folder, "down")
    said, _ = down.communicate(timeout=60)
    assert down.returncode == 0, said
    assert _left(folder, facts) == {}


@pytest.mark.parametrize("seconds", [0.8, 2.5, 6.0])
def test_down_ends_what_a_killed_up_had_started(folder: Folder, seconds: float) -> None:
    up = _command(folder, "up")
    time.sleep(seconds)
    up.send_signal(signal.SIGKILL)
    up.communicate(timeout=10)
    facts = folder.facts()
    lifecycle.down(folder)
    assert processes.marked(folder) == []
    if facts is not None:
        assert _left(folder, facts) == {}


def test_a_second_up_starts_again_what_has_ended_and_nothing_else(folder: Folder) -> None:
    first = _command(folder, "up")
    said, _ = first.communicate(timeout=180)
    assert first.returncode == 0, said
    before = lifecycle.standing(folder)
    killed = processes.worker(folder, "kube-scheduler")
    assert killed is not None
    killed.kill()
    again = _command(folder, "up")
    said, _ = again.communicate(timeout=60)
    assert again.returncode == 0, said
    after = lifecycle.standing(folder)
    assert after.pop("kube-scheduler") not in (None, before.pop("kube-scheduler"))
    assert after == before
