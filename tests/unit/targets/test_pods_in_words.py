"""What the status of a pod says, in words a person can act on."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipelines.model.resource import Resource
from pipelines.targets.kubernetes import pods


def pod(name: str = "api-1", created: str = "2026-01-01T00:00:00Z", **status: Any) -> Resource:
    metadata = {"name": name, "namespace": "n", "uid": f"uid-{name}", "creationTimestamp": created}
    return Resource({"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "status": status})


def container(restarts: int = 0, **state: Any) -> dict[str, Any]:
    return {"name": "api", "restartCount": restarts, "ready": False, "state": state}


@pytest.mark.parametrize(
    ("status", "words", "hopeless"),
    [
        (
            container(waiting={"reason": "ImagePullBackOff", "message": "no such image"}),
            "ImagePullBackOff: no such image",
            True,
        ),
        (
            container(waiting={"reason": "CrashLoopBackOff", "message": "back-off 10s"})
            | {"lastState": {"terminated": {"reason": "OOMKilled", "exitCode": 137}}},
            "CrashLoopBackOff: OOMKilled: it used more memory than its limit",
            True,
        ),
        (
            container(waiting={"reason": "CrashLoopBackOff"})
            | {"lastState": {"terminated": {"exitCode": 1, "message": "a\nKeyError: 'x'\n"}}},
            "CrashLoopBackOff: Error (exit code 1): KeyError: 'x'",
            True,
        ),
        (container(waiting={"reason": "ContainerCreating"}), "ContainerCreating", False),
        (container(terminated={"exitCode": 0}), "", False),
    ],
    ids=["no image", "out of memory", "crash", "starting", "ended well"],
)
def test_a_container_that_does_not_run_says_why(
    status: dict[str, Any], words: str, hopeless: bool
) -> None:
    assert pods.trouble(pod(containerStatuses=[status])) == (words, hopeless)


def test_a_pod_without_its_image_says_what_to_type() -> None:
    waiting = container(waiting={"reason": "ErrImagePull", "message": "not found"})
    found = pod(containerStatuses=[waiting | {"image": "registry.example:5000/trading:r-1"}])
    assert pods.missing_image(found) == ("registry.example:5000/trading:r-1", "not found")
    words, hopeless = pods.trouble(found)
    command = "slipway image r-1 --repository registry.example:5000/trading --push"
    assert words == f"make the image: {command}; ErrImagePull: not found"
    assert hopeless


def test_a_pod_that_fits_on_no_node_says_so() -> None:
    condition = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable"}
    words, hopeless = pods.trouble(pod(conditions=[condition | {"message": "Insufficient cpu"}]))
    assert (words, hopeless) == ("Unschedulable: Insufficient cpu", True)


@given(st.integers(0, 5), st.integers(1, 6))
def test_more_replicas_are_no_restart_and_a_restart_is_one(restarts: int, more: int) -> None:
    oldest = pod(containerStatuses=[container(restarts, running={})])
    others = [
        pod(f"api-{n + 2}", "2026-01-02T00:00:00Z", containerStatuses=[container(0, running={})])
        for n in range(more)
    ]
    alone = pods.identity([oldest])
    assert alone == pods.identity([*others, oldest])
    again = pod(containerStatuses=[container(restarts + 1, running={})])
    assert pods.identity([again, *others]) != alone
    assert pods.identity(others) != alone, "the oldest was replaced"


def test_no_pod_is_nobody() -> None:
    assert pods.identity([]) is None


def test_a_pod_that_is_being_deleted_is_not_ready() -> None:
    ready = {"conditions": [{"type": "Ready", "status": "True"}]}
    assert pods.ready(pod(**ready))
    leaving = Resource({"metadata": {"name": "x", "deletionTimestamp": "now"}, "status": ready})
    assert not pods.ready(leaving)
