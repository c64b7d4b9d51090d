"""The hooks of charts/trading against the engine's step table."""

from __future__ import annotations

from typing import Any

from pipelines.engine.charts import ChartRenderer
from pipelines.model.steps import STEPS
from tests.support.charts import ENGINE, Object, objects, of_kind

ARGO = "argocd.argoproj.io"
RELEASE = {"id": "r-1", "artifact": "a" * 64, "migrations": "m1"}


def jobs(renderer: ChartRenderer, **over: Any) -> dict[str, Object]:
    """Step → job."""
    hooks = {"enabled": True, "soakSeconds": 600, "startSeconds": 60}
    values = {"hooks": hooks, "release": RELEASE, "engineImage": ENGINE, **over}
    found = of_kind(objects(renderer, "trading", **values), "Job")
    return {name.rpartition("-")[2]: item for name, item in found.items()}


def test_there_are_none_unless_the_slot_shall_become_active(renderer: ChartRenderer) -> None:
    found = objects(renderer, "trading", hooks={"enabled": False})
    assert {item["kind"] for item in found} == {"ConfigMap", "Deployment", "ServiceAccount"}


def test_each_has_the_phase_and_the_wave_of_the_step_table(renderer: ChartRenderer) -> None:
    found = jobs(renderer)
    assert set(found) == {"guard", "backup", "migrate", "verify", "switch"}
    for step in STEPS:
        if step.name in found:
            annotations = found[step.name]["metadata"]["annotations"]
            assert annotations[f"{ARGO}/hook"] == str(step.phase)
            assert annotations[f"{ARGO}/sync-wave"] == str(step.wave)
            assert annotations[f"{ARGO}/hook-delete-policy"] == "BeforeHookCreation"


def test_a_slot_comes_up_in_the_wave_of_its_step(renderer: ChartRenderer) -> None:
    (stage,) = [step for step in STEPS if step.name == "stage"]
    found = objects(renderer, "trading", hooks={"enabled": True}, engineImage=ENGINE)
    for item in of_kind(found, "Deployment").values():
        assert item["metadata"]["annotations"][f"{ARGO}/sync-wave"] == str(stage.wave)


def test_the_other_slot_changes_after_the_last_hook_switched_away_from_it(
    renderer: ChartRenderer,
) -> None:
    last = max(step.wave for step in STEPS)
    found = objects(renderer, "trading", hooks={"enabled": False})
    for item in of_kind(found, "Deployment").values():
        assert int(item["metadata"]["annotations"][f"{ARGO}/sync-wave"]) > last


def test_each_may_take_what_the_table_allows_and_the_switch_its_soak_too(
    renderer: ChartRenderer,
) -> None:
    limits = {step.name: step.limit_seconds for step in STEPS}
    found = {name: job["spec"]["activeDeadlineSeconds"] for name, job in jobs(renderer).items()}
    switch = limits["switch"] + limits["analyse"] + limits["confirm"] + 600
    expected = {name: limits[name] for name in ("guard", "backup", "migrate")}
    expected |= {"verify": 95, "switch": switch}
    assert found == {name: s + 60 for name, s in expected.items()}
    assert {job["spec"]["backoffLimit"] for job in jobs(renderer).values()} == {2}


def test_one_that_said_no_is_not_asked_again(renderer: ChartRenderer) -> None:
    for job in jobs(renderer).values():
        lost, no = job["spec"]["podFailurePolicy"]["rules"]
        assert (lost["action"], lost["onPodConditions"]) == (
            "Ignore",
            [{"type": "DisruptionTarget"}],
        )
        assert no == {
            "action": "FailJob",
            "onExitCodes": {"operator": "In", "values": [1, 2, 3, 4, 5]},
        }


def test_its_command_says_environment_release_and_slot(renderer: ChartRenderer) -> None:
    for step, job in jobs(renderer, slot="green").items():
        (container,) = job["spec"]["template"]["spec"]["containers"]
        assert container["command"] == ["slipway", "hook", step]
        assert container["args"][:3] == [
            "--environment=production", "--release=r-1", "--slot=green",
        ]  # fmt: skip
        assert job["metadata"]["name"] == f"trading-green-{step}"


def test_a_once_key_follows_the_migrations_and_nothing_else(renderer: ChartRenderer) -> None:
    def keys(**release: str) -> dict[str, str]:
        found = jobs(renderer, release={**RELEASE, **release})
        for step, job in found.items():
            (container,) = job["spec"]["template"]["spec"]["containers"]
            told = [a for a in container["args"] if a.startswith("--once-key=")]
            key = job["metadata"]["annotations"].get("slipway.dev/once-key")
            assert told == ([f"--once-key={key}"] if key else []), step
        annotated = {s: job["metadata"]["annotations"] for s, job in found.items()}
        return {s: a["slipway.dev/once-key"] for s, a in annotated.items() if len(a) > 3}

    before = keys()
    assert set(before) == {step.name for step in STEPS if step.once}
    assert len(set(before.values())) == len(before)
    assert keys(id="r-2", artifact="b" * 64) == before
    assert not set(keys(migrations="m2").values()) & set(before.values())


def test_verify_may_look_and_run_commands_and_the_switch_may_patch_two_services(
    renderer: ChartRenderer,
) -> None:
    found = objects(renderer, "trading", hooks={"enabled": True}, engineImage=ENGINE)
    rules = {name: role["rules"] for name, role in of_kind(found, "Role").items()}
    look = [
        {"apiGroups": [""], "resources": ["pods"], "verbs": ["get", "list"]},
        {"apiGroups": ["apps"], "resources": ["deployments"], "verbs": ["list"]},
        {"apiGroups": [""], "resources": ["pods/exec"], "verbs": ["get", "create"]},
    ]
    slices = {
        "apiGroups": ["discovery.k8s.io"],
        "resources": ["endpointslices"],
        "verbs": ["list"],
    }
    services = {
        "apiGroups": [""],
        "resources": ["services"],
        "resourceNames": ["trading", "trading-preview"],
        "verbs": ["get", "patch"],
    }
    assert rules == {"trading-blue-verify": look, "trading-blue-switch": [*look, slices, services]}
    for name, binding in of_kind(found, "RoleBinding").items():
        assert binding["roleRef"]["name"] == name
        (subject,) = binding["subjects"]
        assert (subject["name"], subject["namespace"]) == (name, "slipway-production")


def test_hooks_before_the_slot_need_nothing_that_comes_with_it(renderer: ChartRenderer) -> None:
    found = objects(renderer, "trading", hooks={"enabled": True}, engineImage=ENGINE)
    early = {
        item["metadata"]["name"]
        for item in found
        if (item["metadata"].get("annotations") or {}).get(f"{ARGO}/hook") == "PreSync"
    }
    for job in of_kind(found, "Job").values():
        if job["metadata"]["name"] in early:
            pod = job["spec"]["template"]["spec"]
            (settings,) = [v["configMap"]["name"] for v in pod["volumes"] if "configMap" in v]
            assert settings in early
            assert pod["serviceAccountName"] == "default"
