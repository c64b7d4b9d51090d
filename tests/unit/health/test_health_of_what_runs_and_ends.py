"""Pod, Job, CronJob, Workflow."""

from __future__ import annotations

from typing import Any

import pytest

from pipelines.engine.health.assess import assess

IGNORE = "argocd.argoproj.io/ignore-restart-policy"
HOOK = "argocd.argoproj.io/hook"


def judged(
    kind: str, version: str, status: Any, spec: Any = None, **annotations: str
) -> tuple[str, str]:
    manifest = {
        "apiVersion": version,
        "kind": kind,
        "metadata": {"name": "x", "annotations": annotations},
        "spec": spec or {},
        "status": status,
    }
    found = assess(manifest)
    assert found is not None
    return found.status.value, found.message


def pod(policy: str, phase: str, annotations: dict[str, str] | None = None, **status: Any) -> Any:
    body = {"phase": phase, **status}
    return judged("Pod", "v1", body, {"restartPolicy": policy}, **(annotations or {}))


def waiting(reason: str, message: str) -> dict[str, Any]:
    return {"name": "main", "state": {"waiting": {"reason": reason, "message": message}}}


def ended(**how: Any) -> dict[str, Any]:
    return {"name": "main", "state": {"terminated": how}}


STUCK = [
    {"name": "fine", "state": {"running": {}}},
    waiting("ErrImagePull", "no image"),
    waiting("CreateContainerConfigError", "no secret"),
    waiting("CrashLoopBackOff", "again"),
    waiting("ContainerCreating", "soon"),
]


@pytest.mark.parametrize("phase", ["Pending", "Running"])
def test_a_lasting_pod_that_cannot_start_is_degraded(phase: str) -> None:
    assert pod("Always", phase, containerStatuses=STUCK) == (
        "Degraded", "no image, no secret, again",
    )  # fmt: skip


def test_a_pod_that_ends_only_waits_for_its_image() -> None:
    """Else a hook would be judged failed and run later all the same."""
    assert pod("Never", "Pending", containerStatuses=STUCK, message="m") == ("Progressing", "m")


@pytest.mark.parametrize(
    ("phase", "expected"),
    [
        ("Pending", ("Progressing", "m")),
        ("Succeeded", ("Healthy", "m")),
        ("Failed", ("Degraded", "m")),
        ("Unknown", ("Unknown", "m")),
        ("", ("Unknown", "m")),
    ],
)
def test_the_phase_of_a_pod(phase: str, expected: tuple[str, str]) -> None:
    assert pod("Always", phase, message="m") == expected


@pytest.mark.parametrize(
    ("containers", "expected"),
    [
        ([ended(exitCode=3)], 'container "main" failed with exit code 3'),
        ([ended(exitCode=137, reason="OOMKilled")], "OOMKilled"),
        ([ended(exitCode=1, message="told")], "told"),
        ([ended(exitCode=0), ended(exitCode=9)], 'container "main" failed with exit code 9'),
        ([], ""),
    ],
)
def test_why_a_pod_failed(containers: list[Any], expected: str) -> None:
    assert pod("Never", "Failed", containerStatuses=containers) == ("Degraded", expected)


def test_an_init_container_that_failed_speaks_first() -> None:
    first, second = [ended(message="first", exitCode=1)], [ended(message="second", exitCode=1)]
    assert pod("Never", "Failed", initContainerStatuses=first, containerStatuses=second) == (
        "Degraded", "first",
    )  # fmt: skip


def test_a_running_pod() -> None:
    ready = [{"type": "Ready", "status": "True"}]
    crashed = [{"name": "main", "lastState": {"terminated": {"exitCode": 1}}}]
    assert pod("Always", "Running", conditions=ready, message="m") == ("Healthy", "m")
    assert pod("Always", "Running", conditions=ready, containerStatuses=crashed)[0] == "Healthy"
    assert pod("Always", "Running", containerStatuses=crashed) == ("Degraded", "")
    assert pod("Always", "Running") == ("Progressing", "")
    for policy in ("Never", "OnFailure"):
        assert pod(policy, "Running", conditions=ready) == ("Progressing", "")
    assert pod("", "Running", conditions=ready) == ("Unknown", "")


def test_a_pod_can_ask_to_be_judged_as_a_lasting_one_unless_it_is_a_hook() -> None:
    ready = [{"type": "Ready", "status": "True"}]
    assert pod("Never", "Running", {IGNORE: "true"}, conditions=ready)[0] == "Healthy"
    assert pod("Never", "Running", {IGNORE: "true"}, containerStatuses=STUCK)[0] == "Degraded"
    assert pod("Never", "Running", {IGNORE: "false"}, conditions=ready)[0] == "Progressing"
    for hook in ({HOOK: "PreSync"}, {"helm.sh/hook": "pre-install"}):
        assert pod("Never", "Running", {IGNORE: "true", **hook}, conditions=ready) == (
            "Progressing", "",
        )  # fmt: skip
    skipped = {IGNORE: "true", HOOK: "Skip"}
    assert pod("Never", "Running", skipped, conditions=ready)[0] == "Healthy"


@pytest.mark.parametrize(
    ("conditions", "expected"),
    [
        ([], ("Progressing", "")),
        ([("FailureTarget", "True", "a")], ("Progressing", "")),
        ([("Complete", "True", "done")], ("Healthy", "done")),
        ([("Failed", "True", "limit")], ("Degraded", "limit")),
        ([("Complete", "True", "done"), ("Failed", "True", "limit")], ("Degraded", "limit")),
        ([("Suspended", "True", "Job suspended")], ("Suspended", "Job suspended")),
        ([("Suspended", "False", "Job resumed")], ("Healthy", "Job resumed")),
        ([("Suspended", "True", "s"), ("Failed", "True", "f")], ("Degraded", "f")),
    ],
)
def test_a_job(conditions: list[tuple[str, str, str]], expected: tuple[str, str]) -> None:
    listed = [dict(zip(("type", "status", "message"), one, strict=True)) for one in conditions]
    assert judged("Job", "batch/v1", {"conditions": listed}) == expected


EARLY, LATE = "2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"


@pytest.mark.parametrize(
    ("spec", "status", "expected"),
    [
        ({"suspend": True}, None, ("Healthy", "CronJob is Suspended")),
        ({"suspend": False}, None, ("Progressing", "Waiting for CronJob")),
        ({}, {}, ("Healthy", "CronJob has not been scheduled yet")),
        (
            {},
            {"lastScheduleTime": LATE},
            ("Healthy", "The CronJob never completed successfully. It may not be healthy"),
        ),
        (
            {},
            {"lastScheduleTime": LATE, "lastSuccessfulTime": EARLY, "active": [{}]},
            ("Healthy", "The job is running. Its last execution may not have been successful"),
        ),
        (
            {},
            {"lastScheduleTime": LATE, "lastSuccessfulTime": EARLY, "active": []},
            ("Degraded", "CronJob has not completed its last execution successfully"),
        ),
        (
            {},
            {"lastScheduleTime": EARLY, "lastSuccessfulTime": LATE},
            ("Healthy", "CronJob has completed its last execution successfully"),
        ),
    ],
)
def test_a_cron_job(spec: Any, status: Any, expected: tuple[str, str]) -> None:
    assert judged("CronJob", "batch/v1", status, spec) == expected


@pytest.mark.parametrize(
    ("phase", "state"),
    [("", "Progressing"), ("Pending", "Progressing"), ("Running", "Progressing"),
     ("Succeeded", "Healthy"), ("Failed", "Degraded"), ("Error", "Degraded"), ("x", "Unknown")],
)  # fmt: skip
def test_a_workflow(phase: str, state: str) -> None:
    status = {"phase": phase, "message": "m"}
    assert judged("Workflow", "argoproj.io/v1alpha1", status) == (state, "m")
