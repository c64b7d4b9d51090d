"""Control groups of version 2: what a kubelet needs of them is passed down, or its absence is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cluster import cgroups
from tests.cluster.errors import Missing


@pytest.fixture
def top(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cgroups, "ROOT", tmp_path)
    (tmp_path / "cgroup.subtree_control").write_text("")
    return tmp_path


def test_what_the_machine_has_of_a_kubelets_controllers_is_passed_down(top: Path) -> None:
    (top / "cgroup.controllers").write_text("cpuset cpu io memory pids rdma\n")
    cgroups.make("mine")
    assert (top / "mine").is_dir()
    assert (top / "cgroup.subtree_control").read_text() == "+cpu +cpuset +memory +pids"


def test_a_controller_that_is_not_there_is_named(top: Path) -> None:
    (top / "cgroup.controllers").write_text("cpu pids\n")
    with pytest.raises(Missing, match="no controller memory: cpu pids"):
        cgroups.make("mine")
    assert not (top / "mine").exists()
