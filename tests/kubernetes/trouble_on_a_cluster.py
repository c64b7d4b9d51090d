"""Trouble that a cluster makes: its control plane away, processes of pods that die at once."""

from __future__ import annotations

import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import psutil
import pytest

from tests.cluster import control_plane, processes
from tests.cluster.folder import Folder
from tests.cluster.standing import Standing
from tests.kubernetes.lanes import MARK


def folder_of(cluster: Standing) -> Folder:
    """Of a cluster made here; the processes of any other are not ours to hurt."""
    if cluster.folder is None:
        pytest.skip("processes of a given cluster are not ours to stop")
    return cluster.folder


@contextmanager
def frozen(cluster: Standing, program: str) -> Iterator[None]:
    """A part of the control plane answers nothing and forgets nothing."""
    process = processes.worker(folder_of(cluster), program)
    assert process is not None
    process.send_signal(signal.SIGSTOP)
    try:
        yield
    finally:
        process.send_signal(signal.SIGCONT)


def restart_api_server(cluster: Standing, away_seconds: float) -> None:
    """Killed, away for so long, started again; ends when it is ready."""
    folder = folder_of(cluster)
    facts = folder.facts()
    assert facts is not None
    process = processes.alive(folder, "kube-apiserver")
    assert process is not None
    process.kill()
    with suppress(psutil.NoSuchProcess, psutil.TimeoutExpired):
        process.wait(10)
    try:
        time.sleep(away_seconds)
    finally:
        with pytest.MonkeyPatch.context() as patched:
            patched.delenv(MARK, raising=False)  # it is the cluster's and stays when the suite ends
            control_plane.start_api(folder, facts)
        control_plane.answers(folder, facts)


def kill_processes(cluster: Standing, pods: Sequence[str]) -> int:
    """SIGKILL to what runs in these pods, as no API server would do it. How many there were."""
    folder_of(cluster)
    found = [process for process in psutil.process_iter() if _pod_of(process) in pods]
    for process in found:
        with suppress(psutil.NoSuchProcess):
            process.kill()
    return len(found)


def _pod_of(process: psutil.Process) -> str:
    """Its pod's name, which a container has as its host name; empty outside of Slipway's pods."""
    with suppress(psutil.Error, OSError):
        variables = process.environ()
        if "SLIPWAY_TRAFFIC" in variables:
            return str(variables.get("HOSTNAME", ""))
    return ""
